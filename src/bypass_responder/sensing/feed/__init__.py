"""One poll of the audit feed: windows, blobs, cursor."""
