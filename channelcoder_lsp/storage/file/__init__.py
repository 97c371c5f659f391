"""Sessions as files in one folder, readable by ChannelCoder 3.

For a session ``NAME`` the folder holds:

==================== ====================================================================================
``NAME.json``        the snapshot: the session at rest, in the guide's format
``NAME.journal``     what happened since: a header, then one record a line, only ever appended to
``NAME.index``       derived from the two: what lists and start-up need, so that neither reads the history
``NAME.contents/``   the texts of files as they were when asked about, compressed, by SHA-256
``NAME.lock``        held for moments, by whoever changes one of these files
``NAME.lease``       held for the length of a turn, by whoever asks; ``NAME.queue`` by whoever is next
``NAME.corrupt-...`` what could not be read, kept for a person to look at
``NAME.tmp-...``     a file that is being written
==================== ====================================================================================

Only sessions end in ``.json``, since ChannelCoder reads every such file as one.

A session exists if its snapshot does. It is the snapshot with the journal's records above the snapshot's
``channelcoder.seq`` applied, so the two steps of a fold (a new snapshot, then a new journal) may be parted by
a crash: a record that is in both counts once. A new journal starts with a copy of the last records that
were folded in: ChannelCoder may hold an older copy of the session in memory and write it back, and then
they are applied again.
"""
