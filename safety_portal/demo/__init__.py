"""The demo district: the shape of a real one, and nobody in it.

Schools, sizes and agencies follow a published district; every person is invented. Phone
numbers reach nobody and addresses end in example.org (RFC 2606).
"""
