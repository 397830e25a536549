"""`make cover` prints one line per package."""

from __future__ import annotations

from tests.coverage_per_package import per_package


def a_file(lines: int, covered: int, branches: int = 0, covered_branches: int = 0) -> dict[str, dict[str, int]]:
    return {
        "summary": {
            "num_statements": lines,
            "covered_lines": covered,
            "num_branches": branches,
            "covered_branches": covered_branches,
        }
    }


def test_lines_and_branches_of_a_package_count_together() -> None:
    files = {"src/a/x.py": a_file(10, 10, 4, 2), "src/a/y.py": a_file(6, 0), "src/b/z.py": a_file(1, 1)}

    assert per_package(files) == {"src/a": 60.0, "src/b": 100.0}


def test_a_file_in_the_root_has_a_separate_line() -> None:
    assert per_package({"function_app.py": a_file(2, 1)}) == {"function_app.py": 50.0}


def test_a_package_without_statements_is_left_out() -> None:
    assert per_package({"src/a/__init__.py": a_file(0, 0)}) == {}
