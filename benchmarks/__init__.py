"""How fast ChannelCoder is, against what it stands on: ``python -m benchmarks [NAME...] [--write]``.

Every figure is a ratio (or a difference) of things that were measured in turns, A B A B..., in one run on one
machine; a figure from one run is never held against one from another. What is printed beside the tables in
milliseconds says how large things were here, and goes nowhere else.

    startup.py      from the start of the process to the answer to ``initialize``
    hover.py        ``textDocument/hover`` in a project with 1,000 threads, idle and while answers stream
    first_text.py   from asking a warm session to the first text of its answer
    recording.py    writing a turn down, in sessions of 10 to 100,000 messages
    footprint.py    what is imported, and the memory of an idle server

    bare_server.py  what a pygls server costs that does nothing
    place.py        a home, a project and an environment of their own
    history.py      a session with many threads
    wire.py         a tight LSP client, the same for both servers
    measure.py      medians, ratios, and the tables
"""
