"""What is not opened, and what is said of it; what cannot be saved."""

import functools
import json
import zipfile
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import diffhydro as dh
from diffhydro.core.model_file import archive, describe
from diffhydro.errors import InputError
from tests.core.model_file.forge import changed, forged


class Grown(eqx.Module):
    """A class that has other fields than it had when files were written."""

    weight: Any
    bias: Any = eqx.field(default=1.5, converter=jnp.asarray)
    label: str = eqx.field(static=True, default_factory=lambda: "new")


class Pair(NamedTuple):
    one: Any
    two: Any = 2


def outside(x):
    return x


HERE = __name__


def array(**changes):
    node = {"of": "jax", "dtype": "float32", "shape": [2], "weak": False, "generator": "", "at": 0}
    return {"array": node | changes}


WICKED = {
    "a function of the system": {"function": "os:system"},
    "a builtin": {"function": "builtins:eval"},
    "a class of processes": {"dataclass": "subprocess:Popen", "fields": {"args": "true"}},
    "a module that is no module": {"module": "os.path:join", "fields": {}},
    "what a module imported": {"function": "diffhydro.atomic:shutil.rmtree"},
    "what a room imported": {"function": "diffhydro.land.forcing:dataclasses.replace"},
    "a class that is imported": {"module": "diffhydro.core.states:Path", "fields": {}},
    "ours, which writes": {"function": "diffhydro.core.model_file:save"},
    "ours, shown by the table": {"function": "diffhydro:save"},
    "ours, of the app": {"function": "diffhydro.app.cli:main"},
    "a constructor of the app": {
        "dataclass": "diffhydro.app.results:Results",
        "fields": {"folder": "x"},
    },
    "of jax, outside": {"function": "jax.numpy:save"},
    "of jax, below": {"function": "jax.nn:initializers.jnp.save"},
    "a module within a module": {"function": "jax.nn:initializers.zeros"},
    "of flax, outside": {"function": "flax.serialization:msgpack_restore"},
    "a class as a function": {"function": "diffhydro:Hbv"},
    "a function as a class": {"module": "jax.nn:relu", "fields": {}},
    "an error as a model": {"module": "diffhydro:InputError", "fields": {}},
    "a model as a tuple": {"namedtuple": "diffhydro:Hbv", "fields": {}},
    "a metaclass": {"module": "diffhydro:Hbv.__class__", "fields": {}},
    "an abstract class": {"module": "diffhydro:AbstractModel", "fields": {}},
    "a path": {"function": "../../evil:go"},
    "no name": {"function": 7},
    "a call of no function": {"partial": 3, "args": [], "keywords": {}},
}


@pytest.mark.parametrize("tree", WICKED.values(), ids=WICKED)
def test_code_is_not_reached(tree, tmp_path):
    path = forged(tmp_path / "wicked.dh", {"list": [tree]})
    with pytest.raises(InputError, match=r"wicked\.dh: 0"):
        dh.load(path)


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (array(shape=[3]), r"float32\[3\] has 12 bytes, and 8 are there"),
        (array(shape=[2**62, 2**62]), "bytes, and 8 are there"),
        (array(shape=[-1, -2]), "is no array"),
        (array(shape=[0, 2**63], at=1), "no array has the shape"),
        (array(shape=[1] * 70, at=0, dtype="float64"), "no array has the shape"),
        (array(shape=[True, 2]), "True is not a int"),
        (array(dtype="object"), "'object' is not a type of arrays"),
        (array(dtype="O"), "is not a type"),
        (array(at=2), "it is array 2, and there are 2"),
        (array(at=-1), "there are 2"),
        (array(of="pickle"), "'pickle' is no array"),
        (array(of="key", dtype="uint32", generator="dice"), "dice"),
        ({"array": {}}, "no 'of'"),
        ({"odd": 1}, "stands for nothing"),
        ([1], "stands for nothing"),
        ({"float": "one"}, "could not convert"),
        ({"complex": [1, 2, 3]}, "takes at most 2"),
        ({"dict": [[{"list": []}, 1]]}, "unhashable"),
        ({"list": {"a": 1}}, "is not a list"),
        ({"type": "float32", "of": "os"}, "there is no type"),
        ({"enum": "diffhydro:Hbv", "member": "A"}, "is not an enumeration"),
        ({"module": "diffhydro:Hbv", "fields": []}, "is not a dict"),
    ],
)
def test_what_makes_no_sense_is_said(tree, said, tmp_path):
    path = forged(tmp_path / "x.dh", {"tuple": [tree]}, [bytes(8), b""])
    with pytest.raises(InputError, match=said):
        dh.load(path)


def test_a_tree_may_not_be_too_deep(tmp_path):
    tree: Any = 1
    for _ in range(200):
        tree = {"list": [tree]}
    with pytest.raises(InputError, match="deeper than 60 parts"):
        dh.load(forged(tmp_path / "x.dh", tree))
    deep: Any = ()
    for _ in range(200):
        deep = (deep,)
    with pytest.raises(InputError, match="deeper than 60 parts"):
        dh.save(tmp_path / "y.dh", deep)
    pieces = {archive.TREE: b'{"model":' + b"[" * 100_000}
    archive.write(tmp_path / "z.dh", pieces)
    with pytest.raises(InputError, match="not a model file"):
        dh.load(tmp_path / "z.dh")


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "arrays/../evil", "arrays/0/x", "arrays/x"]
)
def test_archives_hold_nothing_else(name, tmp_path):
    path = forged(tmp_path / "x.dh", 1)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(name, b"evil")
    with pytest.raises(InputError, match=f"is not a model file: it holds '{name}'"):
        dh.load(path)
    assert {found.name for found in tmp_path.iterdir()} == {"x.dh"}


def test_a_small_file_does_not_ask_for_much_memory(tmp_path):
    path = tmp_path / "x.dh"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(archive.TREE, b" " * 10_000_000)
        file.writestr("sha256", b"")
    with pytest.raises(InputError, match="is compressed"):
        dh.load(path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"file_size": 10**12, "compress_size": 10**12}, "larger than the file"),
        ({"file_size": 10**12}, "is compressed or locked"),
        ({"flag_bits": 1}, "is compressed or locked"),
    ],
)
def test_what_an_archive_says_of_itself_is_checked_first(changes, said, tmp_path, monkeypatch):
    path = forged(tmp_path / "x.dh", 1)

    def infolist(file):
        for name, value in changes.items():
            setattr(file.filelist[0], name, value)
        return file.filelist

    monkeypatch.setattr(zipfile.ZipFile, "infolist", infolist)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was read"))
    with pytest.raises(InputError, match=said):
        dh.load(path)


def test_every_bit_counts(tmp_path):
    """The digest covers names and contents, also where the checksums of zip are right."""
    path = forged(tmp_path / "x.dh", {"list": [array(), array(at=1)]}, [b"abcdefgh", b"ABCDEFGH"])
    with zipfile.ZipFile(path) as file:
        pieces = {name: file.read(name) for name in file.namelist()}
    pieces["arrays/0"], pieces["arrays/1"] = pieces["arrays/1"], pieces["arrays/0"]
    with zipfile.ZipFile(path, "w") as file:
        for name, content in pieces.items():
            file.writestr(name, content)
    with pytest.raises(InputError, match="its content is not what was written"):
        dh.load(path)


def test_what_is_no_model_file_is_said(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        dh.load(tmp_path / "none.dh")
    with pytest.raises(InputError, match=r"holds no model\.dh"):
        dh.load(tmp_path)
    text = tmp_path / "text.dh"
    text.write_text("a model")
    with pytest.raises(InputError, match="is not a model file, or is damaged: File is not a zip"):
        dh.load(text)
    np.savez(tmp_path / "x.npz", a=np.arange(3))
    with pytest.raises(InputError, match=r"is not a model file: it holds 'a\.npy'"):
        dh.load(tmp_path / "x.npz")
    with pytest.raises(InputError, match="it says that it is 'other'"):
        dh.load(forged(tmp_path / "o.dh", 1, format="other"))
    pieces = archive.read(forged(tmp_path / "n.dh", 1))
    archive.write(tmp_path / "n.dh", {**pieces, "arrays/5": b""})
    with pytest.raises(InputError, match="numbered from 0 to 0"):
        dh.load(tmp_path / "n.dh")


def test_a_newer_format_is_said(tmp_path):
    path = forged(tmp_path / "x.dh", 1, version=2, versions={"diffhydro": "9.1"})
    said = r"is of format 2, .* formats up to 1: .*'diffhydro': '9\.1'.* Update"
    with pytest.raises(InputError, match=said):
        dh.load(path)
    with pytest.raises(InputError, match=said):
        describe(path)


def test_an_unknown_class_is_said_with_the_nearest(tmp_path):
    def renamed(name):
        path = dh.save(tmp_path / "x.dh", {"land": dh.Hbv()})
        return changed(path, lambda text: text.replace("diffhydro:Hbv", name))

    with pytest.raises(InputError, match=r"land: it asks for .* did you mean diffhydro:Wetland "):
        dh.load(renamed("diffhydro:Wetlands"))
    with pytest.raises(InputError, match="did you mean diffhydro:Hbv"):
        dh.load(renamed("diffhydro.land.gone:Hbv"))
    with pytest.raises(InputError, match=r"import what it asks for .* classes=\[Hbv\]"):
        dh.load(renamed("mine:Hbv"))
    assert isinstance(dh.load(renamed("mine:Hbv"), classes=[dh.Hbv])["land"], dh.Hbv)


def test_a_field_that_came_later_has_its_default(tmp_path):
    def without(name):
        def change(text):
            about = json.loads(text)
            del about["model"]["fields"][name]
            return json.dumps(about)

        return changed(dh.save(tmp_path / "x.dh", Grown(1.0, bias=3.0)), change)

    with pytest.warns(UserWarning, match=r"lacks 'bias' of .*Grown, .*: its default, .*1\.5"):
        back = dh.load(without("bias"), classes=[Grown])
    assert isinstance(back.bias, jax.Array)  # as the constructor would have it
    with pytest.warns(UserWarning, match="lacks 'label' of .* 'new'"):
        assert dh.load(without("label"), classes=[Grown]).label == "new"
    with pytest.raises(InputError, match=r"lacks 'weight', which .*Grown needs"):
        dh.load(without("weight"), classes=[Grown])


def test_a_field_that_is_gone_is_said(tmp_path):
    path = dh.save(tmp_path / "x.dh", Grown(1.0))
    changed(path, lambda text: text.replace('"bias"', '"slope"'))
    with pytest.raises(
        InputError, match=r"has 'slope', which .*Grown has no more; .* weight, bias"
    ):
        dh.load(path, classes=[Grown])
    path = dh.save(tmp_path / "p.dh", Pair(1, 3))
    with pytest.raises(InputError, match=r"has 'deux', which .*Pair has no more"):
        dh.load(changed(path, lambda text: text.replace('"two"', '"deux"')), classes=[Pair])
    changed(path, lambda text: text.replace(', "deux": 3', ""))
    with pytest.warns(UserWarning, match="lacks 'two'"):
        assert dh.load(path, classes=[Pair]) == Pair(1, 2)


def test_wide_numbers_need_wide_jax(tmp_path):
    path = dh.save(tmp_path / "x.dh", {"land": dh.Hbv()})
    with jax.enable_x64(False), pytest.raises(InputError, match=r"land\.beta: it is float64"):
        dh.load(path)


def local():
    return lambda x: x


UNWRITTEN = {
    "a lambda": ({"a": [local()]}, r"a\.0 cannot be written: local\.<locals>\.<lambda> was made"),
    "a method": (dh.Hbv().init_state, "cannot be written"),
    "an object": ({"x": object()}, "x cannot be written: it is a builtins.object"),
    "a set": ({1}, "the model cannot be written: it is a builtins.set"),
    "an array of words": (np.array(["a"]), "an array of type <U1"),
    "an array of objects": (np.array([None]), "an array of type object"),
    "a masked array": (np.ma.masked_less(np.arange(3.0), 1.0), "masked"),
    "an impostor": (functools.wraps(outside)(lambda x: x), "define it in a module, and once"),
    "a generator": (jax.ShapeDtypeStruct((2,), jnp.float32), "ShapeDtypeStruct"),
}


@pytest.mark.parametrize(("model", "said"), UNWRITTEN.values(), ids=UNWRITTEN)
def test_what_cannot_be_written_is_said(model, said, tmp_path):
    with pytest.raises(InputError, match=said):
        dh.save(tmp_path / "x.dh", model)
    assert [*tmp_path.iterdir()] == []


def test_a_traced_value_and_words_that_json_lacks_are_refused(tmp_path):
    with pytest.raises(InputError, match="its value is not known yet"):
        jax.jit(lambda x: dh.save(tmp_path / "x.dh", {"x": x}))(1.0)
    with pytest.raises(InputError, match="told has something that JSON cannot say"):
        dh.save(tmp_path / "x.dh", 1, {"when": object()})
    with pytest.raises(InputError, match="told has something"):
        dh.save(tmp_path / "x.dh", 1, {"loss": float("nan")})


def test_a_function_of_the_caller_is_found_when_it_is_given(tmp_path):
    path = dh.save(tmp_path / "x.dh", {"f": outside})
    assert dh.load(path, classes=[outside])["f"] is outside
    with pytest.raises(InputError, match="f: it asks for"):
        dh.load(path)
