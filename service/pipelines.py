"""The analysis put together from the settings: model, pack and registers; nothing of the web or a store."""

import gc
from pathlib import Path

from models.denunciation import load_score
from models.registry import load_classifier
from nlp.errors import ArtifactError
from nlp.hints import load_triage
from nlp.pipeline import Pipeline
from nlp.protocols import Classifier
from nlp.structure import load_registers
from nlp.taxonomy import Taxonomy, load_pack, load_packs
from service.settings import Settings


def build_pipeline(settings: Settings) -> Pipeline:
    """The analysis with the model, pack and registers that the settings name.

    Raises:
        ArtifactError, TaxonomyError, CorpusError: one of them is missing or damaged.
    """
    corpus = settings.corpus_folder
    classifier = load_classifier(settings.model, folder=settings.models_folder)
    taxonomy = load_pack(corpus / "taxonomies" / settings.taxonomy)
    if classifier.taxonomy != (taxonomy.name, taxonomy.version):
        taxonomy = _pack_of(classifier, corpus / "taxonomies", instead_of=taxonomy)
    pipeline = Pipeline(
        classifier=classifier,
        taxonomy=taxonomy,
        registers=load_registers(corpus / "registers"),
        triage=load_triage(corpus / "registers"),
        accusations=load_score().find,
    )
    gc.freeze()  # what was loaded stays: to look at it again and again takes a fifth of the time of a batch
    return pipeline


def _pack_of(classifier: Classifier, folder: Path, *, instead_of: Taxonomy) -> Taxonomy:
    """The version of a pack that a model was trained for, where it lies beside the newest."""
    for pack in load_packs(folder):
        if (pack.name, pack.version) == classifier.taxonomy and pack.name == instead_of.name:
            return pack
    wanted, found = " ".join(classifier.taxonomy), f"{instead_of.name} {instead_of.version}"
    raise ArtifactError(f"the model was trained for {wanted}, not for {found}; train it again")
