"""What is fuzzed: every reader of foreign bytes, with its seeds and what must hold of its answer.

A target takes a document and returns, whatever the document is: rows and problems, or one of the
exceptions that its reader documents. The readers are called beneath the fence of the converter, so
that nothing is hidden by it. A target is made once; seeds come from the corpora and the builders.
"""

# ruff: noqa: PT017 - an exception is an answer like another here
import atexit
import json
import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Final

import orjson

from labelingest.class_lists.read import load_class_list
from labelingest.cli.show.find_row import find_row
from labelingest.cli.show.label_row import label_row_of
from labelingest.config import IngestConfig, load_config
from labelingest.converter import Converter, LabelFile
from labelingest.documents.decode import UNDECODED, decode
from labelingest.documents.exact_numbers import dumps_exactly
from labelingest.errors import ConfigError, OntologyError, StorageError
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state import database
from labelingest.folders.sync.plan import Plan
from labelingest.media.image_size import image_size, read_image_size
from labelingest.metadata.check import check_metadata
from labelingest.metadata.schema import MetadataSchema
from labelingest.model.listing import Listing
from labelingest.model.ontology import Shape
from labelingest.model.vocabulary import Vocabulary
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule, SuffixRule
from labelingest.problems import UNEXPECTED, Problem
from labelingest.problems.of_document import DocumentProblems
from labelingest.readers.encord import DataFile, read_label_row
from labelingest.readers.encord.read import read_sidecars
from labelingest.resolution.class_map import make_class_map
from labelingest.resolution.ontology_json import load_ontology
from labelingest.resolution.starter import starter_ontology
from labelingest.storage.cloud.connections import Connection
from labelingest.storage.journal import Journal
from labelingest.storage.urls import looks_like_url, place_of, storage_url_of
from labelingest.writers.coco import CocoWriter
from labelingest.writers.parquet import ParquetWriter
from tests.builders import image_bytes
from tests.builders.encord import ONTOLOGY, sidecar
from tests.builders.yolo import converter_for
from tests.conformance.test_encord import content_of
from tests.fuzz.mutate import Mutator

__all__ = ["TARGETS", "Target"]

FIXTURES: Final = Path(__file__).parents[2] / "fixtures"
CORPUS: Final = FIXTURES / "conformance"
_PASSWORD: Final = "S3CR3T"
_IN_AUTHORITY: Final = re.compile(rf"[A-Za-z0-9+.-]:+//[^/?#\s]*:{_PASSWORD}@")
_MOST_LOADED: Final = 64 * 2**20
"""Bytes that a reader of headers may ask for."""

Run = Callable[[bytes, random.Random], None]


@dataclass(frozen=True, slots=True)
class Target:
    """A reader of foreign bytes."""

    mutator: Mutator
    run: Run
    """Reads one document; raises what the reader does not document, or AssertionError."""


def _cases(path: Path) -> list[dict[str, Any]]:
    loaded = json.loads(path.read_text("utf-8"))
    cases: list[dict[str, Any]] = loaded["cases"] if isinstance(loaded, dict) else loaded
    return cases


def _dumped(*documents: object) -> list[bytes]:
    return [json.dumps(document).encode() for document in documents]


def _words(text: str) -> list[bytes]:
    return [word.encode() for word in text.split()]


@cache
def _folder() -> Path:
    shared = Path("/dev/shm")
    folder = Path(mkdtemp(prefix="labelingest-fuzz-", dir=shared if shared.is_dir() else None))
    atexit.register(rmtree, folder, ignore_errors=True)
    return folder


def _file(name: str, content: bytes) -> Path:
    path = _folder() / name
    path.write_bytes(content)
    return path


def _check_problems(problems: Sequence[Problem]) -> None:
    for problem in problems:
        assert problem.code not in UNEXPECTED, str(problem)
        assert len(str(problem)) < 20_000
        str(problem).encode("utf-8", "backslashreplace")


# YOLO label files


_LAYOUTS: Final = (
    *("auto", "auto", "auto", "box", "box+confidence", "confidence+box", "box+track"),
    *("polygon", "polygon+confidence", "corners", "xywhr", "pose", "box+confidence+track"),
    *("box-pixels", "polygon-pixels", "xywhr-degrees", "box+class"),
)


@cache
def _yolo_converter(layout: str, out_of_range: str, drop_duplicates: bool) -> Converter:
    return converter_for(
        row_layout=layout,
        kpt_shape=(2, 3) if layout == "pose" else None,
        out_of_range=out_of_range,
        drop_duplicates=drop_duplicates,
    )


def _yolo() -> Target:
    texts = [
        case["text"].encode()
        for path in sorted((CORPUS / "yolo").glob("*.json"))
        for case in _cases(path)
        if isinstance(case.get("text"), str) and len(case["text"]) < 1_000
    ]
    tokens = _words(
        "0 1 7 8 0.5 .25 1e-3 -0.1 1.0001 nan inf # 0.5,0.5 0x1p3 1_0 +0 -0 9e9 2.0 1e400"
    )
    tokens += [b" ", b"\n", b"\t", b"0 0.5 0.5 0.2 0.2\n", b"7 .1 .1 .9 .1 .9 .9 .1 .9\n"]

    def run(content: bytes, rng: random.Random) -> None:
        converter = _yolo_converter(
            rng.choice(_LAYOUTS),
            rng.choice(("clip", "keep", "reject")),
            rng.random() < 0.5,
        )
        size = rng.choice((None, (640, 480), (1, 1), (2**31 - 1, 1)))
        _check_conversion(converter, LabelFile("images/a.jpg", content, size, 10**18))

    return Target(Mutator(texts, tokens), run)


def _check_conversion(converter: Converter, file: LabelFile) -> None:
    conversion = converter.convert([file])
    _check_problems(conversion.problems)
    assert conversion.tally.balance(), "the books do not balance"
    assert conversion.tally.label_rows + conversion.tally.failed_files == 1
    (row,) = conversion.label_rows
    assert (row is not None) == bool(conversion.is_converted[0])
    if row is not None:
        json.loads(row, parse_constant=_refuse_constant)
        orjson.loads(row)


def _refuse_constant(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


# Encord sidecars


@cache
def _sidecars() -> list[bytes]:
    base = json.loads((CORPUS / "encord/base.json").read_text("utf-8"))
    texts = _dumped(*base["rows"].values())
    for path in sorted((CORPUS / "encord").glob("*.json")):
        if path.stem != "base":
            contents = (content_of(case) for case in _cases(path) if "repeat" not in case)
            texts += [c for c in contents if len(c) < 8_000]
    return texts


_SIDECAR_TOKENS: Final = _words(
    "boundingBox rotatableBoundingBox polygon polygons polyline point bitmask skeleton cuboid2d "
    "circle ellipse objectHash featureHash objects classifications data_units labels frames range "
    "object_answers classification_answers object_actions answers dynamic spaces data_type image "
    "video audio text/plain application/pdf text/html image_group rleString top left width height "
    "0 1 9007199254740993 k3P/x0+a a1B2c3D4 createdAt manualAnnotation confidence theta metadata"
)


@cache
def _vocabulary() -> Vocabulary:
    base = json.loads((CORPUS / "encord/base.json").read_text("utf-8"))
    return Vocabulary.from_structure(base["ontology"])


@cache
def _encord_converter() -> Converter:
    base = json.loads((CORPUS / "encord/base.json").read_text("utf-8"))
    return Converter.from_ontology(
        load_ontology(base["ontology"]), storage_url="s3://bucket/", format="encord"
    )


_FILES: Final = ("a.jpg", "a.jpg", "a.mp4", "a.wav", "a.txt", "a.html", "a.pdf", "a")


def _encord() -> Target:
    def run(content: bytes, rng: random.Random) -> None:
        file = DataFile.from_key(rng.choice(_FILES), rng.choice((None, (640, 480))))
        checked = read_label_row(content, "s.json", _vocabulary(), file)
        _check_problems(checked.problems)
        if checked.row is None:
            assert checked.problems, "refused in silence"
        else:
            orjson.dumps(checked.row)
        seen = checked.objects_seen + checked.classifications_seen
        written_entries = checked.objects_kept + checked.classifications_kept
        assert seen == written_entries + checked.rejected.total(), "the books do not balance"

    return Target(Mutator(_sidecars(), _SIDECAR_TOKENS, 12_000), run)


def _encord_batch() -> Target:
    good = sidecar("AAAAAAAA", "BBBBBBBB")
    vocabulary = Vocabulary.from_structure(ONTOLOGY)
    ontology = load_ontology(ONTOLOGY)
    features = {
        ontology_object.feature_hash: row for row, ontology_object in enumerate(ontology.objects)
    }
    file = DataFile.from_key("a.jpg", (640, 480))

    def run(content: bytes, rng: random.Random) -> None:
        batch = [content, good] if rng.random() < 0.5 else [good, content]
        read = read_sidecars(batch, ["s.json"] * 2, [file] * 2, vocabulary, features)
        position = batch.index(content)
        _check_problems(read.problems[position])
        assert read.rows[1 - position] is not None, "the sidecar beside it was lost"
        assert not read.problems[1 - position]
        alone = read_label_row(content, "s.json", vocabulary, file)
        assert [p.code for p in alone.problems] == [p.code for p in read.problems[position]]
        assert all(map(math.isfinite, read.annotations.coordinates.tolist()))

    seeds = [good, sidecar("CCCCCCCC"), sidecar(), *_sidecars()[:20]]
    return Target(Mutator(seeds, _SIDECAR_TOKENS, 12_000), run)


def _encord_converted() -> Target:
    def run(content: bytes, rng: random.Random) -> None:
        file = LabelFile(rng.choice(_FILES), content, rng.choice((None, (640, 480))), 10**18)
        _check_conversion(_encord_converter(), file)

    return Target(Mutator(_sidecars(), _SIDECAR_TOKENS, 12_000), run)


def _encord_tables() -> Target:
    base = json.loads((CORPUS / "encord/base.json").read_text("utf-8"))
    ontology = load_ontology(base["ontology"])
    converter = Converter.from_ontology(
        ontology, storage_url="s3://bucket/", format="encord", to="coco"
    )

    def run(content: bytes, rng: random.Random) -> None:
        file = LabelFile("a.jpg", content, rng.choice((None, (640, 480))), 10**18)
        conversion = converter.convert([file])
        _check_problems(conversion.problems)
        assert conversion.tally.balance(), "the books do not balance"
        if conversion.labels is None:
            return
        annotations, units = conversion.labels.annotations, conversion.labels.units
        chunk = CocoWriter(ontology, "s3://bucket/").add(annotations, units)
        for part in (chunk.images, chunk.annotations):
            json.loads(b"[" + part + b"]", parse_constant=_refuse_constant)
        if rng.random() < 0.1:
            with ParquetWriter(BytesIO(), ontology, "s3://bucket/") as writer:
                writer.add(annotations, units)

    return Target(Mutator(_sidecars(), _SIDECAR_TOKENS, 12_000), run)


# Ontologies, class names, metadata


def _ontology() -> Target:
    seeds = [
        *_dumped(ONTOLOGY, *(case["ontology"] for case in _cases(CORPUS / "ontology/loading.json")
                             if isinstance(case.get("ontology"), dict))),
        *_dumped(json.loads((CORPUS / "encord/base.json").read_text("utf-8"))["ontology"]),
    ]  # fmt: skip
    tokens = _words(
        "objects classifications featureNodeHash externalIds YOLO name shape bounding_box polygon "
        "skeleton attributes options radio checklist text required dynamic id color value editor "
        "title ontology_hash 0 07 7 -1 99999999999 level parent archived skeleton_template"
    )

    def run(content: bytes, rng: random.Random) -> None:
        path = _file("ontology.json", content)
        try:
            ontology = load_ontology(path)
            overrides = {rng.choice((0, 7, 2**31)): rng.choice(("Car", "a1B2c3D4", None))}
            make_class_map(ontology, overrides=overrides)
            Vocabulary.from_structure(ontology.structure)
        except (OntologyError, ConfigError) as error:
            assert len(str(error)) < 20_000

    return Target(Mutator(seeds, tokens), run)


_CLASS_LISTS = (
    *("data.yaml", "data.yml", "classes.txt", "a.names", "_darknet.labels", "obj.data"),
    "notes.json",
)


def _class_names() -> Target:
    seeds = [path.read_bytes() for path in (FIXTURES / "classes").iterdir() if path.is_file()]
    seeds += [b"nc: 2\nnames: {0: person, 3: car}", b"names:\n- a\n- b\n", b"person\ncar\n"]
    seeds += [b"0 tug\n1: van\n3\tcar\n", b"# classes\n10 km/h\n", b"names = data/obj.names\n"]
    seeds += [b'{"categories": [{"id": 0, "name": "a"}, {"id": 1, "name": "b"}]}']
    seeds += [b"path: ../x\ntrain: images\nnames:\n  0: a\n  1: 'b c'\ndownload: |\n  import os\n"]
    tokens = _words(
        "names: nc: - ? & * !!python/object:os.system !!int !!float !!binary !!timestamp <<: "
        "2001-12-14 1:30:00 190:20:30 0o7 0x1F 1_000 .inf .nan ~ null yes no | > --- ... %YAML & *a"
    )

    def run(content: bytes, rng: random.Random) -> None:
        path = _file(rng.choice(_CLASS_LISTS), content)
        try:
            starter_ontology(load_class_list(path).names, Shape.BOUNDING_BOX, "YOLO")
        except (ConfigError, OntologyError) as error:
            assert len(str(error)) < 20_000

    return Target(Mutator([seed[:2_000] for seed in seeds], tokens), run)


def _metadata() -> Target:
    schema = (
        MetadataSchema()
        .add("flag", "boolean")
        .add("when", "datetime")
        .add("id", "uuid")
        .add("speed", "number")
        .add("site", "varchar")
        .add("weather", "enum", values=["rain", "sun"])
        .add("vector", "embedding", size=3)
        .add("where", "geospatial")
    )
    values = [case["value"] for case in _cases(CORPUS / "metadata/values.json")]
    texts = [c["text"].encode() for c in _cases(CORPUS / "metadata/documents.json") if "text" in c]
    tokens = _words(
        "flag when id speed site weather vector where rain lat lon $x 2026-01-05T16:46:58Z"
    )

    def run(content: bytes, rng: random.Random) -> None:
        checked = check_metadata(content, "m.json", rng.choice((None, schema)))
        _check_problems(checked.problems)
        if checked.value is None:
            assert checked.problems, "refused in silence"
        else:
            assert checked.keys_seen >= len(checked.value)
            dumps_exactly(checked.value)

    return Target(Mutator([*_dumped(*values), *texts], tokens), run)


def _metadata_schema() -> Target:
    seeds = [c["text"].encode() for c in _cases(CORPUS / "metadata/schemas.json") if "text" in c]
    tokens = _words(
        "ty number varchar text boolean datetime uuid enum embedding geospatial variant tombstone "
        "deleted_ty max_length size values format F64 timezone UTC hint url service_integration"
    )

    def run(content: bytes, rng: random.Random) -> None:
        try:
            schema = MetadataSchema.from_json(content)
        except ConfigError as error:
            assert len(str(error)) < 20_000
            return
        again = MetadataSchema.from_json(schema.to_json())
        assert again.to_json() == schema.to_json()
        check_metadata(b'{"a": 1, "b": "x"}', "m.json", schema)

    return Target(Mutator(seeds, tokens), run)


# Patterns and URLs


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _patterns() -> Target:
    seeds = [c["pattern"].encode() for c in _cases(CORPUS / "patterns/meaning.json")]
    seeds += [b"images/{name}.jpg", b"{a}/{b}/x_{c}.txt", b"{{x}}", b"{name:d}", b"*/**/[a-z]?.jpg"]
    tokens = _words(
        "{name} {a} {b} {} {{ }} {name!r} {name:>10} / // .. . * ** ? [ ] .jpg .txt ~ \\"
    )
    keys = [
        "images/a.jpg",
        "labels/a.txt",
        "images/b/c.jpg",
        "labels/b/c.txt",
        "a.jpg",
        "a.jpg.txt",
    ]
    listing = Listing.from_entries((key, 1, 0) for key in keys)

    def run(content: bytes, rng: random.Random) -> None:
        text = _text(content)[:300]
        try:
            rule: PatternRule | SuffixRule
            if rng.random() < 0.2:
                rule = SuffixRule(text)
            else:
                images = (text, rng.choice(("images/{name}.jpg", text[::-1])))
                rule = PatternRule(
                    images[: rng.randrange(1, 3)], rng.choice(("labels/{name}.txt", text))
                )
        except ConfigError as error:
            assert len(str(error)) < 20_000
            return
        pairs = pair(listing, rule)
        _check_problems(pairs.problems)
        assert sum(pairs.counts().values()) == len(listing)

    return Target(Mutator(seeds, tokens, 400), run)


def _urls() -> Target:
    seeds = [
        case["url"].replace("PASSWORD", _PASSWORD).encode()
        for path in sorted((CORPUS / "urls").glob("*.json"))
        for case in _cases(path)
    ]
    tokens = _words(
        "s3:// gs:// az:// https:// HTTP:// file:/// memory:// @ user:S3CR3T@ [::1] :9000 :abc ? # "
        "sig=S3CR3T token=S3CR3T %40 %2540 %00 %FF %2F // .. \\ .s3.eu-west-1.amazonaws.com "
        ".blob.core.windows.net storage.googleapis.com [fe80::1%25eth0] xn--"
    )
    doors: tuple[Callable[[str], object], ...] = (
        storage_url_of,
        place_of,
        lambda url: Connection(endpoint=url),
        lambda url: FolderSettings(url, url),
        lambda url: IngestConfig(storage_path=url, ontology="o", storage_url=url, out=url),
    )

    def run(content: bytes, rng: random.Random) -> None:
        text = _text(content)[:400]
        door = rng.choice(doors)
        if door is place_of and text.partition("://")[0].lower() not in {"s3", "gs", "az", "https"}:
            door = storage_url_of
        looks_like_url(text)
        try:
            url = door(text)
        except ConfigError as error:
            # A password before the host, as far as anything tells it from a name.
            assert not _IN_AUTHORITY.search(str(error)), str(error)
            return
        if door is storage_url_of:
            assert storage_url_of(str(url)) == url, "a spelling that is another one"
            assert not _IN_AUTHORITY.search(str(url))

    return Target(Mutator(seeds, tokens, 400), run)


def _states() -> Target:
    seeds = [
        *(b"sqlite:////data/state.sqlite", b"sqlite:///state.sqlite?timeout=5", b"sqlite://"),
        *(b"postgresql://u:S3CR3T@host:5432/db?sslmode=require", b"postgresql://u@/db?host=/tmp"),
        *(b"postgresql+psycopg://u:S3CR3T@[::1]/db?options=-cx%3Dy", b"mysql://u:S3CR3T@h/d"),
    ]
    tokens = _words(
        "sqlite:/// postgresql:// +psycopg :memory: ? & = timeout=1 password=S3CR3T port= :abc @ %00 "
        "host= [::1] uri=true mode=ro sslpassword=S3CR3T service="
    )

    def run(content: bytes, rng: random.Random) -> None:
        text = _text(content)[:300]
        try:
            parsed = database._parsed(text)
        except ConfigError as error:
            assert _PASSWORD not in str(error)
            return
        text_for_people = database._shown(parsed)
        if parsed.password:
            assert f":{parsed.password}@" not in text_for_people or set(str(parsed.password)) == {
                "*"
            }

    return Target(Mutator(seeds, tokens, 400), run)


# Configuration, plans, settings, journals


_TOML: Final = b"""
storage_path = "data"
ontology = "ontology.json"
images = ["images/{name}.jpg"]
labels = "labels/{name}.txt"
kpt_shape = [17, 3]
warn_misfit = 0.1
workers = 4
batch_bytes = 1_000_000
storage_url = "s3://bucket/"
[map]
7 = "car"
8 = ""
"""


def _configuration() -> Target:
    tokens = _words(
        "1979-05-27T07:32:00Z 07:32:00 1979-05-27 0x1F 0b1 1_0 inf nan +1 1e400 true [a] [[a]] a.b=1 "
        "''' \"\"\" format = to = out = report = failed_csv = namespace = restart = engine = suffix ="
    )
    tokens += [f"{name} = ".encode() for name in IngestConfig.model_fields]

    def run(content: bytes, rng: random.Random) -> None:
        path = _file("run.toml", content)
        try:
            values = load_config(path)
            config = IngestConfig(**{"storage_path": "d", "ontology": "o.json", **values})
            config.model_dump(mode="json")
        except ConfigError as error:
            assert len(str(error)) < 50_000

    return Target(Mutator([_TOML, b"[map]\n7='a'", b"a=1\n", b"images='{n}.jpg'\n"], tokens), run)


def _plans() -> Target:
    plan = {
        "labelingest folder plan 1": True,
        "folder": "drive",
        "made_at": "2026-01-05T16:46:58.000Z",
        "keys": 7,
        "digest": "0f" * 16,
        "generation": 3,
        "allow_mass_delete": False,
        "verify_output": False,
        "changes": {"new file": 3},
        "withheld": {},
        "why_withheld": "",
    }
    tokens = [key.encode() for key in plan]

    def run(content: bytes, rng: random.Random) -> None:
        path = _file("plan.jsonl", content)
        try:
            loaded = Plan.load(str(path))
        except ConfigError as error:
            assert len(str(error)) < 20_000
            return
        orjson.dumps(loaded.as_dict())
        for value in (loaded.keys, loaded.generation, *loaded.changes.values()):
            assert isinstance(value, int)
        try:
            loaded.refuse_drift(loaded.digest, loaded.generation, loaded.changes)
        except StorageError as error:
            raise AssertionError("a plan is not its own") from error

    return Target(Mutator(_dumped(plan, {**plan, "withheld": {"gone": 9}}), tokens), run)


def _settings() -> Target:
    settings = [
        FolderSettings("/data", "/rows"),
        FolderSettings(
            "s3://bucket/a/",
            "/rows",
            format="yolo",
            ontology=ONTOLOGY,
            options={"images": ["i/{n}.jpg"], "labels": "l/{n}.txt", "map": {7: "Car"}},
            auto_sync_hours=24,
        ),
        FolderSettings("/d", "/r", format="encord", ontology=ONTOLOGY, metadata_suffix=".m.json"),
    ]
    tokens = _words("storage_path output options format yolo encord images labels map ontology")

    def run(content: bytes, rng: random.Random) -> None:
        try:
            loaded = FolderSettings.from_json(_text(content))
        except (ConfigError, OntologyError) as error:
            assert len(str(error)) < 50_000
            return
        assert FolderSettings.from_json(loaded.to_json()) == loaded

    return Target(Mutator([value.to_json().encode() for value in settings], tokens), run)


def _journals() -> Target:
    path = _folder() / "journal"
    journal = Journal.open(path, "rows.jsonl")
    journal.begin("subject")
    journal.append({"mark": [1, 2], "tally": {}})
    journal.append({"mark": [3, 4]})
    journal.synced()
    journal.close()
    seed = path.read_bytes()
    tokens = _words('{"synced":true} [1] {"mark":0} "boot" "subject" null')

    def run(content: bytes, rng: random.Random) -> None:
        path.write_bytes(content)
        opened = Journal.open(path, "rows.jsonl")
        try:
            opened.load()
        finally:
            opened.close()

    return Target(Mutator([seed, seed + seed], tokens), run)


# Images and label rows to show


def _images() -> Target:
    seeds = [
        *(image_bytes.saved(form) for form in ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF")),
        *(image_bytes.saved(form, orientation=6) for form in ("JPEG", "PNG", "TIFF", "WEBP")),
        image_bytes.jpeg(640, 480, before=image_bytes.segment(0xE1, image_bytes.exif_block(6))),
        image_bytes.png(640, 480),
        image_bytes.bmp(640, -480),
        image_bytes.tiff([(256, 4, 640), (257, 4, 480)], order=">", big=True),
        b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miaf\0\0\0\x10meta\0\0\0\0",
    ]
    tokens = [
        *(b"\xff\xd8\xff", b"\xff\xc0", b"\xff\xe1", b"\xff\xda", b"Exif\0\0", b"IHDR", b"eXIf"),
        *(
            b"II*\0",
            b"MM\0*",
            b"II+\0",
            b"RIFF",
            b"WEBP",
            b"VP8 ",
            b"VP8L",
            b"VP8X",
            b"BM",
            b"meta",
        ),
        *(b"ftypavif", b"iprp", b"ipco", b"ispe", b"irot", b"pitm", b"iinf", b"\xff\xff\xff\xff"),
        *(b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0", b"\0\0\0\1", b"\1\x12", b"\x12\1"),
    ]

    def run(content: bytes, rng: random.Random) -> None:
        loaded = 0

        def part(start: int, length: int) -> bytes:
            nonlocal loaded
            assert start >= 0
            assert length >= 0
            loaded += min(length, max(len(content) - start, 0))
            assert loaded < _MOST_LOADED, "a header of many megabytes"
            return content[start : start + length]

        for size in (
            image_size(content),
            read_image_size(content[: rng.choice((64, 512, 4096))], part),
        ):
            assert size is None or (0 < size[0] < 2**31 and 0 < size[1] < 2**31)

    return Target(Mutator(seeds, tokens, 8_192), run)


def _shown() -> Target:
    def run(content: bytes, rng: random.Random) -> None:
        notes = DocumentProblems("s.json")
        document = decode(content, notes)
        if not isinstance(document, dict):
            assert document is not UNDECODED or notes.in_order(), "refused in silence"
            return
        row = label_row_of(document, rng.choice((None, _vocabulary())))
        orjson.dumps(row)

    return Target(Mutator(_sidecars(), _SIDECAR_TOKENS, 12_000), run)


def _rows() -> Target:
    from zstandard import ZstdCompressor

    lines = b"\n".join((sidecar("AAAAAAAA"), sidecar("BBBBBBBB"), b""))
    packed = ZstdCompressor().compress(lines)
    tokens = [b"\n", b"\x28\xb5\x2f\xfd", b'"data_units"', b'"data_title"', b"a.jpg"]

    def run(content: bytes, rng: random.Random) -> None:
        name = rng.choice(("rows.jsonl", "rows.jsonl.zst", "a.jpg.encord.json"))
        path = str(_file(name, content))
        try:
            find_row("a.jpg" if rng.random() < 0.5 else path, rows=rng.choice((None, path)))
        except (ConfigError, StorageError) as error:
            assert len(str(error)) < 20_000

    return Target(Mutator([lines, packed, sidecar("CCCCCCCC")], tokens), run)


TARGETS: Final[Mapping[str, Callable[[], Target]]] = {
    "class-names": _class_names,
    "configuration": _configuration,
    "encord": _encord,
    "encord-batch": _encord_batch,
    "encord-converted": _encord_converted,
    "encord-tables": _encord_tables,
    "images": _images,
    "journals": _journals,
    "metadata": _metadata,
    "metadata-schema": _metadata_schema,
    "ontology": _ontology,
    "patterns": _patterns,
    "plans": _plans,
    "rows": _rows,
    "settings": _settings,
    "show": _shown,
    "states": _states,
    "urls": _urls,
    "yolo": _yolo,
}
"""Name of a target → what makes it."""
