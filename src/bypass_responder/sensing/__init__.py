"""Facts come in: the shapes that an audit record takes, and the containers that hold it."""
