from pathlib import Path

import pytest

from labelingest.errors import ConfigError
from labelingest.storage.cloud.aws_profile import aws_profile

CREDENTIALS = """
[default]
aws_access_key_id = AKDEFAULT
aws_secret_access_key = SECRET%DEFAULT

[lab]
aws_access_key_id = AKLAB
aws_secret_access_key = SECRETLAB
aws_session_token = TOKENLAB
"""
CONFIG = """
[default]
region = eu-west-1

[profile lab]
region = eu-north-1

[profile signed-on]
sso_session = work
region = us-east-1
"""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(CREDENTIALS)
    (tmp_path / ".aws/config").write_text(CONFIG)
    return {"HOME": str(tmp_path)}


def test_the_default_profile_is_used_where_the_environment_says_nothing(
    home: dict[str, str],
) -> None:
    profile = aws_profile(None, home)
    assert profile is not None
    assert (profile.access_key_id, profile.secret_access_key) == ("AKDEFAULT", "SECRET%DEFAULT")
    assert (profile.region, profile.session_token) == ("eu-west-1", None)


def test_keys_of_the_environment_come_before_the_default_profile(home: dict[str, str]) -> None:
    assert aws_profile(None, home | {"AWS_ACCESS_KEY_ID": "AKOTHER"}) is None


def test_a_profile_that_is_asked_for_comes_before_the_environment(home: dict[str, str]) -> None:
    for name, more in (("lab", {"AWS_ACCESS_KEY_ID": "AKOTHER"}), (None, {"AWS_PROFILE": "lab"})):
        profile = aws_profile(name, home | more)
        assert profile is not None
        assert (profile.access_key_id, profile.session_token) == ("AKLAB", "TOKENLAB")
        assert profile.region == "eu-north-1"


def test_files_may_be_elsewhere(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("[lab]\naws_access_key_id=AK2\naws_secret_access_key=S2\n")
    environment = home | {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "keys")}
    profile = aws_profile("lab", environment)
    assert profile is not None
    assert profile.access_key_id == "AK2"


def test_without_files_there_is_no_profile(tmp_path: Path) -> None:
    assert aws_profile(None, {"HOME": str(tmp_path)}) is None
    with pytest.raises(ConfigError, match="no AWS profile 'lab'"):
        aws_profile("lab", {"HOME": str(tmp_path)})


def test_a_profile_without_keys_is_refused_with_what_helps(home: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="export-credentials --profile signed-on"):
        aws_profile("signed-on", home)


def test_secrets_are_in_no_text(home: dict[str, str], tmp_path: Path) -> None:
    assert "SECRET" not in repr(aws_profile("lab", home))
    (tmp_path / ".aws/credentials").write_text("aws_secret_access_key = SECRET\n")
    with pytest.raises(ConfigError, match="no file of AWS profiles") as refused:
        aws_profile("lab", home)
    assert "SECRET" not in str(refused.value)
