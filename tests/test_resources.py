"""The two layouts: a checkout, and a package as a wheel lays it down."""

import importlib.util
import shutil
from pathlib import Path

from interceptor import _resources

ROOT = Path(__file__).parent.parent


def loaded_from(path):
    spec = importlib.util.spec_from_file_location("resources_elsewhere", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_checkout_has_them_beside_the_package():
    assert _resources.fixtures_folder() == ROOT / "fixtures"
    assert _resources.fixtures_folder().is_dir()
    assert _resources.benchmarks_folder() == ROOT / "benchmarks"


def test_a_wheel_has_them_inside(tmp_path):
    for name in ("_fixtures", "_benchmarks"):
        (tmp_path / name).mkdir()
    shutil.copy(_resources.__file__, tmp_path)
    installed = loaded_from(tmp_path / "_resources.py")
    assert installed.fixtures_folder() == tmp_path / "_fixtures"
    assert installed.benchmarks_folder() == tmp_path / "_benchmarks"
