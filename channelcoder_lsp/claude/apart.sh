#!/bin/sh
# Stands in the place of `claude`: see apart.py. The file beside this one does the work.
exec "$CHANNELCODER_PYTHON" -I -S "${0%.sh}_start.py" "$@"
