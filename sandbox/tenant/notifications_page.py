"""What the webhook received, as a page for people: the newest first, escaped, without a script."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined
from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
}
PAGE = Environment(autoescape=True, undefined=StrictUndefined).from_string("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Notifications of the sandbox</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
article { border-top: 1px solid; padding: 0.5rem 0; }
h2 { font-size: 1.1rem; margin: 0; }
p, pre { overflow-wrap: anywhere; white-space: pre-wrap; }
</style>
</head>
<body>
<main>
<h1>Notifications</h1>
<p>{{ received|length }} received by the sandbox's webhook, the newest first. Reload the page for more.</p>
{% for each in received %}
<article>
<h2>{{ each.severity }}: {{ each.title }}</h2>
<p>{{ each.timestamp }} · {{ each.about }}</p>
<p>{{ each.text }}</p>
{% if each.left_to_do %}<ul>{% for line in each.left_to_do %}<li>{{ line }}</li>{% endfor %}</ul>{% endif %}
{% for name, url in each.links.items() %}
<p>{{ name }}: {% if url.startswith("http") %}<a href="{{ url }}">{{ url }}</a>{% else %}{{ url }}{% endif %}</p>
{% endfor %}
<details><summary>As received</summary><pre>{{ each.raw }}</pre></details>
</article>
{% endfor %}
</main>
</body>
</html>
""")
FIELDS = ("severity", "title", "about", "text")


def notifications_page(kept: Sequence[dict[str, Any]]) -> Response:
    """Return the page of everything that was received."""
    received = [each for request in reversed(kept) for each in reversed(_notifications(request["body"]))]
    return HTMLResponse(PAGE.render(received=received), headers=HEADERS)


def _notifications(body: str) -> list[dict[str, Any]]:
    """Return the notifications of one request; a body that has none is shown as it is."""
    try:
        message = json.loads(body)
        data = message["data"]
        return [
            {name: each[name] for name in FIELDS}
            | {"timestamp": message["timestamp"], "left_to_do": each["left_to_do"], "links": each.get("links", {})}
            | {"raw": json.dumps(each, indent=2)}
            for each in data.get("notifications", [data])
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        unknown = {"severity": "unknown", "title": "not a notification", "timestamp": "", "about": "", "text": ""}
        return [unknown | {"left_to_do": (), "links": {}, "raw": body}]
