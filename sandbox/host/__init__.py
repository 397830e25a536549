"""A local function host: runs the functions of the real ``function_app.py``.

The bindings come from the app's own index. What Azure's host does and the app relies on is done here: schedules,
visibility, dequeue count and poison queues, routes, the webhook of Event Grid. What it does not do: scale (but see
instances.py), keys, output bindings, retry policies.
"""
