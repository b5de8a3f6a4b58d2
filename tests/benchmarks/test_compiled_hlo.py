"""Texts of compiled programs are read as they are meant."""

import jax
import jax.numpy as jnp
import pytest
from compiled import hlo

TEXT = """HloModule jit_step, is_scheduled=true

%fused (param_0: f32[3,64]) -> f32[3,64] {
  %param_0 = f32[3,64]{1,0:T(8,128)S(1)} parameter(0)
  ROOT %negate.1 = f32[3,64]{1,0:T(8,128)} negate(%param_0), metadata={op_name="jit(f)/neg, twice"}
}

ENTRY %main.1 (x.0: f32[3,64], n: s32[]) -> (f32[3,64], /*index=1*/s32[]) {
  %x.0 = f32[3,64]{1,0:T(8,128)} parameter(0), sharding={mesh[], [{}, {}]}
  %n = s32[]{:T(128)} parameter(1)
  %constant.1 = f32[2]{0:T(128)} constant({1, 2})
  %start = (f32[3,64]{1,0:T(8,128)S(1)}, f32[3,64]{1,0:T(8,128)}, u32[]{:S(2)}) copy-start(%x.0)
  %copy-done = f32[3,64]{1,0:T(8,128)S(1)} copy-done(%start)
  %fusion = f32[3,64]{1,0:T(8,128)} fusion(%copy-done), kind=kLoop, calls=%fused, metadata={a="b"}
  ROOT %tuple = (f32[3,64]{1,0:T(8,128)}, /*index=1*/s32[]{:T(128)}) tuple(%fusion, %n)
}
"""


def test_a_module_is_its_computations():
    module = hlo.read(TEXT)
    assert (module.entry, [*module.computations]) == ("main.1", ["fused", "main.1"])
    opcodes = [one.opcode for one in module.computations["main.1"]]
    assert opcodes == [
        "parameter", "parameter", "constant", "copy-start", "copy-done", "fusion", "tuple",
    ]  # fmt: skip
    start, done, fusion, both = module.computations["main.1"][3:]
    assert start.buffers == (
        hlo.Buffer("f32", (3, 64), (1, 0), ((8, 128),), 1),
        hlo.Buffer("f32", (3, 64), (1, 0), ((8, 128),), 0),
        hlo.Buffer("u32", (), (), (), 2),
    )
    assert (start.operands, done.operands) == (("x.0",), ("start",))
    assert both.operands == ("fusion", "n")
    assert (fusion.attribute("calls"), fusion.attribute("kind")) == ("%fused", "kLoop")
    assert fusion.attribute("to_apply") == ""
    assert fusion.attribute("metadata") == '{a="b"}'


def test_values_of_constants_are_no_operands():
    constant = hlo.read(TEXT).computations["main.1"][2]
    assert (constant.operands, constant.buffers[0].dims) == ((), (2,))


@pytest.mark.parametrize(
    ("text", "size", "padded"),
    [
        # The axis that varies fastest is the last one: 64 of 128 lanes, 3 of 8 rows.
        ("f32[3,64]{1,0:T(8,128)}", 768, 4 * 8 * 128),
        # It is the first one: 3 of 128 lanes, 64 rows.
        ("f32[3,64]{0,1:T(8,128)}", 768, 4 * 64 * 128),
        # Of four axes only the two fastest are in tiles: channels, and then the batch of 64.
        ("f32[64,14,14,65]{3,0,2,1:T(8,128)}", 3_261_440, 4 * 14 * 14 * 64 * 128),
        ("f32[64,14,14,1]{0,3,2,1:T(1,128)S(1)}", 50_176, 4 * 14 * 14 * 128),
        ("bf16[5,200]{1,0:T(8,128)(2,1)}", 2_000, 2 * 8 * 256),
        # Two rows of bfloat16 share a word, so one alone takes as much.
        ("bf16[1,128]{1,0:T(1,128)(2,1)}", 256, 512),
        ("f32[]{:T(128)}", 4, 512),
        ("f32[130]{0:T(128)}", 520, 1024),
        ("pred[7]", 7, 7),
        ("s4[3]{0}", 2, 2),
        ("u32[2,0]{1,0:T(8,128)}", 0, 0),
        # Sizes that are not told: no padding that could be told.
        ("f32[3,64]{1,0:T(*,128)}", 768, 768),
    ],
)
def test_sizes_of_buffers(text, size, padded):
    (buffer,) = hlo.buffers(text)
    assert (buffer.bytes, buffer.padded) == (size, padded)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("HloModule x\n", "no line that begins with ENTRY"),
        (TEXT.replace("f32[2]{0:T(128)} constant", "q7[2]{0} constant"), "the size of q7 is not"),
    ],
)
def test_what_cannot_be_read_says_so(text, line):
    with pytest.raises(ValueError, match=line):
        hlo.read(text)


def test_what_xla_writes_is_read():
    def function(x, y):
        return jax.lax.fori_loop(0, 3, lambda i, z: jnp.sin(z) @ y, x), (x > 0).sum()

    shapes = (jax.ShapeDtypeStruct((4, 4), "float32"),) * 2
    module = hlo.read(jax.jit(function).lower(*shapes).compile().as_text())
    entry = module.computations[module.entry]
    assert sum(one.opcode == "parameter" for one in entry) == 2
    assert [b.dims for one in entry if one.opcode == "parameter" for b in one.buffers] == [
        (4, 4)
    ] * 2
    assert [b.dtype for b in entry[-1].buffers] == ["f32", "s32"]
