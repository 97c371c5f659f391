"""The offline model: a stand-in for the Anthropic Messages API on the loopback address.

It lets the real Claude CLI run without an account: for ``channelcoder demo``, for ``--offline`` and for every
test. Every answer of its own says that it is the offline model and that no Claude was asked.

    request.py   what the CLI sent: the questions in it as they were typed, the selection, what it is for
    answer.py    the plain answer, made from the request alone
    example.py   a value that fits a JSON schema
    script.py    the replies that a test can queue, and what it gets to see of the requests
    steps.py     a reply as the bytes, pauses and faults that make it up
    delivery.py  those steps carried out on a connection
    control.py   the queue, the record of the requests and the routes by which a test reaches them
    app.py       the routes of the Messages API
    process.py   the offline model as a child process: the only module that the rest of the product imports

The web server is imported in the child process only.
"""
