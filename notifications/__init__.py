"""The first floor: how we reach people, and why now."""
