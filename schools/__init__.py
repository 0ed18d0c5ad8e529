"""The ground: who, where and what we agreed to do."""
