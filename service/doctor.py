"""What is installed, what is missing, and what its absence costs."""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from models.registry import load_classifier
from nlp.errors import DanvanError
from nlp.structure import load_registers
from nlp.taxonomy import load_pack
from service.settings import Settings
from service.store.dialect import open_engine

# module -> what it is for; none is needed for the default model
_EXTRAS = {
    "torch": "transformer models (pip install 'danvan[transformer]')",
    "transformers": "transformer models (pip install 'danvan[transformer]')",
    "psycopg": "PostgreSQL (pip install 'danvan[postgres]')",
    "pyarrow": "Parquet files (pip install 'danvan[parquet]')",
}
_PROGRAMS = {
    "tesseract": "scanned pages and photographs (apt-get install tesseract-ocr tesseract-ocr-vie)",
    "soffice": "numbers and old fonts of .doc and .odt (apt-get install libreoffice-writer-nogui)",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; without a `needed` one the service cannot work."""

    name: str
    ok: bool
    needed: bool
    detail: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything that an analysis and the service need."""
    corpus = settings.corpus_folder
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), needed=True, detail=version)
    yield _try("taxonomy", lambda: _pack_line(settings))
    yield _try("registers", lambda: f"{corpus / 'registers'} {_loaded(settings)}")
    yield _try("model", lambda: _model_line(settings))
    yield _try("database", lambda: _database_line(settings))
    for module, purpose in _EXTRAS.items():
        found = importlib.util.find_spec(module) is not None
        yield Finding(module, found, needed=False, detail=purpose)
    for program, purpose in _PROGRAMS.items():
        yield Finding(program, shutil.which(program) is not None, needed=False, detail=purpose)


def _try(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, ok=True, needed=True, detail=look())
    except (DanvanError, OSError, SQLAlchemyError) as error:
        return Finding(name, ok=False, needed=True, detail=str(error).splitlines()[0])


def _pack_line(settings: Settings) -> str:
    pack = load_pack(settings.corpus_folder / "taxonomies" / settings.taxonomy)
    return f"{pack.name} {pack.version}"


def _loaded(settings: Settings) -> str:
    load_registers(settings.corpus_folder / "registers")
    return "loaded"


def _model_line(settings: Settings) -> str:
    model = load_classifier(settings.model, folder=settings.models_folder)
    return f"{model.name} {model.version}, sha256 {model.sha256[:12]}"


def _database_line(settings: Settings) -> str:
    engine = open_engine(settings.database_url)
    try:
        with engine.connect():
            return f"{engine.dialect.name} answers"
    finally:
        engine.dispose()
