"""The files for operators fit the code: every path, setting, command and unit they name is there."""

import fnmatch
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml  # type: ignore[import-untyped]

from service.cli import app as danvan
from service.settings import Settings
from tests.conftest import ROOT

DEPLOY = ROOT / "service" / "deploy"
UNITS = [*sorted(path.name for path in DEPLOY.glob("*.service")), "danvan-backup.timer"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
STAGES = re.split(r"(?m)^(?=FROM )", DOCKERFILE)[1:]
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
OURS = ("migrate", "api", "worker")


def instructions(stage: str) -> list[tuple[str, str]]:
    """Each instruction of a stage with its arguments on one line."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^\s*#.*\n", "", stage))
    lines = [line for line in joined.splitlines() if line.strip()]
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines]


@pytest.mark.parametrize("path", sorted(DEPLOY.iterdir()), ids=lambda path: path.name)
def test_every_setting_that_is_named_is_one(path: Path) -> None:
    named = set(re.findall(r"DANVAN_([A-Z_]+[A-Z])\b", path.read_text(encoding="utf-8")))
    named -= {"NAME"}  # stands for any

    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_every_secret_of_ours_is_a_setting() -> None:
    named = {name for name in COMPOSE["secrets"] if name.startswith("danvan_")}

    assert {name.removeprefix("danvan_") for name in named} <= set(Settings.model_fields)
    assert set(COMPOSE["x-danvan"]["secrets"]) == named


def copied() -> list[str]:
    """What is copied from the context."""
    pairs = [pair for stage in STAGES for pair in instructions(stage)]
    given = [
        arguments for name, arguments in pairs if name == "COPY" and "--from=" not in arguments
    ]
    return [source for arguments in given for source in arguments.split()[:-1]]


def is_sent(path: str) -> bool:
    """Whether the ignore file lets a path through: the last line that fits decides."""
    sent = True
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for line in (line for line in lines if line and not line.startswith("#")):
        pattern = line.removeprefix("!").replace("**/", "*")
        parts = Path(path).parts
        places = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
        if any(fnmatch.fnmatch(place, pattern) for place in places):
            sent = line.startswith("!")
    return sent


@pytest.mark.parametrize("path", copied())
def test_what_is_copied_is_there_and_is_sent(path: str) -> None:
    assert (ROOT / path).exists()
    assert is_sent(path)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("nlp/pipeline.py", True),
        ("models/artifacts/default/0.3.0/manifest.json", True),
        ("models/artifacts/denunciation/0.1.0/score.json", True),
        ("corpus/taxonomies/ct07/pack.toml", True),
        ("corpus/registers/kinds.toml", True),
        ("corpus/labelled/ct07/README.md", False),
        ("service/ui/templates/base.html", True),
        ("service/deploy/secrets/database_password", False),
        ("nlp/__pycache__/text.cpython-311.pyc", False),
        ("tests/conftest.py", False),
        (".git/config", False),
        ("data/danvan.db", False),
    ],
)
def test_only_what_is_needed_is_sent(path: str, sent: bool) -> None:
    assert is_sent(path) == sent


def test_both_stages_stand_on_the_same_pinned_python() -> None:
    bases = [instructions(stage)[0][1].partition(" ")[0] for stage in STAGES]

    assert bases == ["python:3.11-slim-bookworm"] * 2


def test_the_image_runs_without_rights() -> None:
    last = instructions(STAGES[-1])
    users = [arguments for name, arguments in last if name == "USER"]
    after = last[last.index(("USER", "danvan")) + 1 :]

    assert users == ["danvan"]
    assert {name for name, _ in after}.isdisjoint({"RUN", "COPY", "ADD"})
    assert "ADD" not in {name for name, _ in last}


def test_the_image_leaves_nothing_of_its_making() -> None:
    [run] = [arguments for name, arguments in instructions(STAGES[-1]) if name == "RUN"]

    assert run.startswith("apt-get update && apt-get install -y --no-install-recommends")
    assert "rm -rf /var/lib/apt/lists/*" in run
    assert not re.search(r"\b(gcc|build-essential|python3-dev|curl|wget|git)\b", STAGES[-1])


def test_the_image_says_whether_it_lives() -> None:
    [check] = [arguments for name, arguments in instructions(STAGES[-1]) if name == "HEALTHCHECK"]

    assert '"python"' in check
    assert "/healthz" in check


def commands() -> set[str]:
    return set(typer.main.get_group(danvan).list_commands(None))  # type: ignore[arg-type]


def test_every_command_that_is_started_is_one() -> None:
    started = {COMPOSE["services"][name]["command"][0] for name in OURS}
    for path in DEPLOY.glob("*.service"):
        started |= set(re.findall(r"ExecStart=\S+/danvan (\w+)", path.read_text(encoding="utf-8")))
    readme = (DEPLOY / "README.md").read_text(encoding="utf-8")
    started |= set(re.findall(r"(?:bin/|`)danvan ([a-z]+)", readme))
    started |= set(re.findall(r"run --rm.* api (\w+)", readme))

    assert started <= commands()
    assert {"serve", "worker", "migrate", "backup", "restore", "staff", "doctor"} <= started


def test_the_database_is_reached_by_us_alone() -> None:
    database = COMPOSE["services"]["database"]

    assert database["image"] == "postgres:16-bookworm"
    assert "ports" not in database
    assert database["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"]
    assert database["secrets"] == ["database_password"]
    assert not any("PASSWORD" in name for name in database["environment"] if "FILE" not in name)


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_do_nothing_but_their_work(name: str) -> None:
    service = COMPOSE["services"][name]

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"cpus", "memory"} <= service["deploy"]["resources"]["limits"].keys()


def test_workers_and_api_share_what_is_exported() -> None:
    [(_, set_)] = [pair for pair in instructions(STAGES[-1]) if "EXPORTS_FOLDER" in pair[1]]

    assert "DANVAN_EXPORTS_FOLDER=/data/exports" in set_
    assert COMPOSE["x-danvan"]["volumes"] == ["data:/data"]
    assert all(COMPOSE["services"][name]["volumes"] == ["data:/data"] for name in OURS)


def test_secrets_are_kept_out_of_the_repository() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()

    paths = {Path(secret["file"]).parent for secret in COMPOSE["secrets"].values()}
    assert paths == {Path("secrets")}
    assert "/service/deploy/secrets/" in ignored


def test_nothing_starts_before_the_schema_is_there() -> None:
    services = COMPOSE["services"]

    for name in ("api", "worker"):
        wanted = services[name]["depends_on"]["migrate"]["condition"]
        assert wanted == "service_completed_successfully"
    assert services["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert services["migrate"]["restart"] == "no"
    assert services["api"]["ports"] == ["127.0.0.1:8000:8000"]


def test_containers_have_time_to_end_in_good_order() -> None:
    graces = {name: COMPOSE["services"][name]["stop_grace_period"] for name in ("api", "worker")}

    wanted = Settings.model_fields["shutdown_s"].default
    assert all(int(grace.removesuffix("s")) > wanted for grace in graces.values())


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_a_unit_is_hardened(name: str) -> None:
    unit = (DEPLOY / name).read_text(encoding="utf-8").splitlines()

    assert {"NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "UMask=0077"} <= set(
        unit
    )
    assert {
        "User=danvan",
        "CapabilityBoundingSet=",
        "EnvironmentFile=-/etc/danvan/danvan.env",
    } <= set(unit)
    assert any(line.startswith("MemoryMax=") for line in unit)


def test_what_serves_is_started_again(tmp_path: Path) -> None:
    for name in ("danvan.service", "danvan-worker@.service"):
        unit = (DEPLOY / name).read_text(encoding="utf-8")
        assert "\nRestart=on-failure\n" in unit
        timeout = re.search(r"(?m)^TimeoutStopSec=(\d+)$", unit)
        assert timeout is not None
        assert int(timeout[1]) > Settings.model_fields["shutdown_s"].default


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not at hand")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for name in UNITS:
        unit = (DEPLOY / name).read_text(encoding="utf-8")
        # it looks whether the program is there, which is not here
        (tmp_path / name).write_text(re.sub(r"(?m)^(ExecStart=)\S+", r"\1/bin/true", unit))
    shutil.copy(tmp_path / "danvan-worker@.service", tmp_path / "danvan-worker@1.service")
    files = [tmp_path / name.replace("@.", "@1.") for name in UNITS]

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, files)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (verified.returncode, verified.stderr) == (0, "")


def test_nginx_lets_through_what_the_service_takes_and_logs_no_query() -> None:
    conf = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    size = re.search(r"client_max_body_size (\d+)m;", conf)

    assert size is not None
    assert int(size[1]) * 1024 * 1024 >= Settings.model_fields["max_upload_bytes"].default + 65_536
    assert conf.count("access_log off;") == conf.count("listen [::]") == 2
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in conf
    idle = re.search(r"keepalive_timeout (\d+)s;  #", conf)
    assert idle is not None
    assert int(idle[1]) < Settings.model_fields["keep_alive_s"].default
    assert conf.count("{") == conf.count("}")


def test_the_readme_says_what_was_not_run() -> None:
    readme = " ".join((DEPLOY / "README.md").read_text(encoding="utf-8").split())

    assert "an image was never built from them" in readme
    assert set(re.findall(r"`([\w.@-]+\.(?:service|yaml|conf|timer))`", readme)) <= {
        path.name for path in DEPLOY.iterdir()
    }
