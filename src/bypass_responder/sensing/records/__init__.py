"""Every shape that an audit record takes, and the containers that hold it."""
