"""What the product is about, in plain values: sessions, turns, threads, anchors, and the ports.

Only the standard library and pydantic are imported here.
"""
