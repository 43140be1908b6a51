"""Make the folder that compose.yaml works in: passwords drawn once, and the folders that it binds.

Runs with the standard library. What is there already stays; a line that is missing in .env is added.
"""

import argparse
import hashlib
import os
import secrets
import sys
from pathlib import Path

FOLDERS = ("logs", "dags", "plugins", "config", "specs")
AIRFLOW_UID = 50000
DIGEST = "TIDEMARK_SECRETS_DIGEST"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--specs", type=Path, help="the folder with <source>/source.yaml; by default one in it")
    parser.add_argument("--fernet", choices=("add", "drop"), help="put a new key before the old one; drop the old one")
    parser.add_argument("--tell", action="store_true", help="only say where Airflow is, and where its login is")
    asked = parser.parse_args()
    if asked.tell:
        tell(asked.folder / ".env")
    elif asked.fernet:
        rotate(asked.folder / ".env", asked.fernet)
    else:
        sources_in(prepare(asked.folder.absolute(), asked.specs))


def sources_in(file: Path) -> None:
    """End where there is no source: init would, after a while, for there would be no DAG."""
    specs = read(file)["TIDEMARK_SPECS"]
    if not list(Path(specs).glob("*/source.yaml")):
        sys.exit(f"compose: no <source>/source.yaml in {specs}: TIDEMARK_SPECS=FOLDER make compose-up names the folder")


def rotate(file: Path, step: str) -> None:
    """Change the Fernet key; what was cut off goes on where it was: with two keys none is added."""
    settings = read(file)
    keys = settings["TIDEMARK_FERNET_KEY"].split(",")
    if step == "add" and len(keys) == 1:
        keys = [drawn()["TIDEMARK_FERNET_KEY"], *keys]
    elif step == "drop":
        keys = keys[:1]
    write(file, {**settings, "TIDEMARK_FERNET_KEY": ",".join(keys)})


def tell(file: Path) -> None:
    port = {**read(file), **os.environ}.get("TIDEMARK_AIRFLOW_PORT", "8080")
    print(f"Airflow: http://localhost:{port}, login admin; its password is TIDEMARK_ADMIN_PASSWORD in {file}")


def prepare(folder: Path, specs: Path | None = None) -> Path:
    """Give the file of settings, for `docker compose --env-file`."""
    if specs and not specs.is_dir():
        sys.exit(f"compose: {specs} is no folder: TIDEMARK_SPECS has to be the one with <source>/source.yaml")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
    file = folder / ".env"
    kept = read(file)
    settings = {**drawn(), **kept, "TIDEMARK_COMPOSE": str(folder)}
    if specs:
        settings["TIDEMARK_SPECS"] = str(specs.absolute())
    settings.setdefault("TIDEMARK_SPECS", str(folder / "specs"))
    if not kept:
        settings["COMPOSE_PROJECT_NAME"] = f"tidemark-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]}"
    write(file, settings)
    return file


def drawn() -> dict[str, str]:
    return {
        # The folders are whoever's runs this; of a root's, the image's own user's.
        "AIRFLOW_UID": str(os.getuid() or AIRFLOW_UID),
        "TIDEMARK_DATABASE_PASSWORD": secrets.token_urlsafe(24),
        "TIDEMARK_QUEUE_PASSWORD": secrets.token_urlsafe(24),
        "TIDEMARK_ADMIN_PASSWORD": secrets.token_urlsafe(15),
        "TIDEMARK_FLOWER_LOGIN": f"admin:{secrets.token_urlsafe(15)}",
        # What cryptography's Fernet takes for a key: 32 bytes in URL-safe base64, with its padding.
        "TIDEMARK_FERNET_KEY": secrets.token_urlsafe(32) + "=",
        "TIDEMARK_JWT_SECRET": secrets.token_urlsafe(64),
        "TIDEMARK_API_KEY": secrets.token_urlsafe(32),
    }


def write(file: Path, settings: dict[str, str]) -> None:
    settings = {**settings, DIGEST: digest(settings)}
    write_private(file, "".join(f"{name}={quoted(value)}\n" for name, value in settings.items()))


def digest(settings: dict[str, str]) -> str:
    """Tell secrets from others: Compose makes a container anew when its definition changes, not when a secret does."""
    told = "\n".join(f"{name}={settings[name]}" for name in sorted(drawn()) if name in settings)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def read(file: Path) -> dict[str, str]:
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value[1:-1] if value[:1] == value[-1:] == "'" else value for name, _, value in pairs}


def quoted(value: str) -> str:
    """Compose takes what stands in single quotes as it is: no $ in it is a variable."""
    if "'" in value or "\n" in value:
        sys.exit("compose: no setting, and no folder's name, can have a ' or a line's end in it")
    return f"'{value}'"


def write_private(file: Path, text: str) -> None:
    """Write it where only its owner reads it, whole or not at all."""
    new = file.with_name(".env.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(file)


if __name__ == "__main__":
    main()
