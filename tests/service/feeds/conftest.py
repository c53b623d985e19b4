"""Where feeds lie in these tests: both databases, a folder, a site and a mailbox on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.feeds.places import Post, Site, a_mailbox, a_site
from tests.service.flows import Scene, a_scene


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with a_scene(request, tmp_path, database=request.param) as scene:
        allowed = {
            "feed_allow_http": True,
            "feed_hosts": ("127.0.0.1",),
            "feeds_folder": tmp_path / "feeds",
        }
        scene.settings = scene.settings.model_copy(update=allowed)
        (tmp_path / "feeds" / "hotline").mkdir(parents=True)
        yield scene


@pytest.fixture
def folder(scene: Scene) -> Path:
    return scene.settings.feeds_folder / "hotline"


@pytest.fixture
def site() -> Iterator[Site]:
    with a_site() as site:
        yield site


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    with a_mailbox() as post:
        monkeypatch.setenv("DANVAN_FEED_IT_PASSWORD", post.password)
        yield post
