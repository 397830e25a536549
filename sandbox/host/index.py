"""The functions of an app with their triggers, from the index that Azure's host would see."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
import sys
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure.functions.decorators.function_app import FunctionRegister

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class HostError(Exception):
    """The app cannot be hosted: what is missing or wrong, in words."""


@dataclass(frozen=True)
class HostedFunction:
    """One function: its name, its trigger, and the code to call.

    The trigger is as the index has it, with settings filled in.
    """

    name: str
    trigger: Mapping[str, Any]
    code: Callable[..., Any]
    group: AbstractAsyncContextManager[object] = field(default_factory=nullcontext)
    """Entered while the function runs; see instances.py."""


def load(app_folder: Path, environment: Mapping[str, str]) -> list[HostedFunction]:
    """Import ``function_app.py`` and index it.

    Raises HostError when a setting that a binding names is missing, or a parameter that it names: Azure's host would
    start without the function then.
    """
    source = app_folder / "function_app.py"
    spec = importlib.util.spec_from_file_location("hosted_function_app", source)
    if spec is None or spec.loader is None or not source.exists():
        msg = f"{source} is not there"
        raise HostError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    apps = [each for each in vars(module).values() if isinstance(each, FunctionRegister)]
    functions = [
        HostedFunction(str(function.get_function_name()), trigger, function.get_user_function())
        for app in apps
        for function in app.get_functions()
        for trigger in (filled(json.loads(raw), environment) for raw in function.get_raw_bindings())
        if str(trigger["type"]).lower().endswith("trigger")
    ]
    for function in functions:
        if function.trigger["name"] not in inspect.signature(function.code).parameters:
            msg = f"{function.name} has no parameter {function.trigger['name']}, which its trigger names"
            raise HostError(msg)
    return functions


def loaded_packages() -> dict[str, list[str]]:
    """What this process imported, by the folder that it came from; Python's own left out."""
    found: dict[str, set[str]] = {}
    for name, module in list(sys.modules.items()):
        top, file = name.split(".")[0], getattr(module, "__file__", None)
        inside = top != name and getattr(sys.modules.get(top), "__file__", None)  # a namespace package has no file
        own = top in sys.stdlib_module_names or top.startswith(("__", "_sysconfigdata"))
        if file and not inside and not own:
            depth = name.count(".") + (Path(file).stem == "__init__")
            found.setdefault(str(Path(file).parents[depth]), set()).add(top)
    return {folder: sorted(names) for folder, names in found.items()}


def filled(binding: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The binding with settings in place of ``%NAME%``. Raises HostError when one is missing."""
    return {key: _filled(value, environment) if isinstance(value, str) else value for key, value in binding.items()}


def _filled(text: str, environment: Mapping[str, str]) -> str:
    def setting(match: re.Match[str]) -> str:
        name = match.group(1)
        if not environment.get(name):
            msg = f"{name} is not set, and a binding of the app names it"
            raise HostError(msg)
        return environment[name]

    return re.sub(r"%([^%]+)%", setting, text)
