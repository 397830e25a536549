"""Evidence of what the actor and the target did, from sources that a bypass does not silence.

Pure, except asking, mailbox_reads and own_records.
"""
