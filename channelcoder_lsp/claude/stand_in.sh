#!/bin/sh
# Stands in the place of `claude`: see stand_in.py.
exec "$CHANNELCODER_PYTHON" -I -S "$CHANNELCODER_PROGRAM" "$@"
