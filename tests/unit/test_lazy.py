import importlib
import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["labelingest", "labelingest.folders", "labelingest.pipeline"])
def test_public_names_are_imported_when_first_used(package: str) -> None:
    module = importlib.import_module(package)
    for name in module.__all__:
        assert getattr(module, name).__name__ == name
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        module.nothing  # noqa: B018


def test_importing_a_package_imports_none_of_its_modules() -> None:
    script = (
        "import labelingest.pipeline, sys;"
        "print([name for name in sys.modules if name.startswith('labelingest.pipeline.')])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    assert answer.stdout == "[]\n"
