"""Bytes, collectives and calls of the host in compiled programs, counted by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compiled import hlo
from compiled.moved import Collective, Moved, collectives, host_calls, moved
from jax.sharding import Mesh, PartitionSpec

# A tile of float32, 8 x 128, is 4,096 bytes; of 3 x 64 elements 768 are none of its padding.
TILE, USED = 4096, 768
X = "f32[3,64]{1,0:T(8,128)}"
ON_CHIP = "f32[3,64]{1,0:T(8,128)S(1)}"


def program(*lines, more=""):
    body = "\n".join(f"  {line}" for line in lines)
    return hlo.read(
        f"{more}ENTRY %main (x: f32[3,64]) -> f32[3,64] {{\n  %x = {X} parameter(0)\n{body}\n}}\n"
    )


def computation(name, *lines):
    body = "\n".join(f"  {line}" for line in lines)
    return f"%{name} (p: f32[3,64]) -> f32[3,64] {{\n  %p = {ON_CHIP} parameter(0)\n{body}\n}}\n\n"


def test_operands_are_read_and_results_written():
    found = moved(program(f"ROOT %y = {X} add(%x, %x)"))
    assert found == Moved(main=3 * TILE, on_chip=0, padding=3 * (TILE - USED))


def test_memories_are_told_apart():
    found = moved(program(f"%y = {ON_CHIP} negate(%x)", f"ROOT %z = {ON_CHIP} negate(%y)"))
    assert found == Moved(main=TILE, on_chip=3 * TILE, padding=4 * (TILE - USED))
    assert found.all == 4 * TILE


def test_a_copy_from_one_memory_into_another_is_one_move():
    there = (
        f"%s = ({ON_CHIP}, {X}, u32[]{{:S(2)}}) copy-start(%x)",
        f"%d = {ON_CHIP} copy-done(%s)",
    )
    assert moved(program(*there)) == Moved(TILE, 0, TILE - USED)
    assert moved(program(f"%d = {ON_CHIP} copy(%x)")) == Moved(TILE, 0, TILE - USED)
    # Back again; and within either memory, where it is read and written.
    assert moved(program(*there, f"%e = {X} copy(%d)")).main == 2 * TILE
    assert moved(program(f"%e = {X} copy(%x)")) == Moved(2 * TILE, 0, 2 * (TILE - USED))
    found = moved(program(*there, f"%e = {ON_CHIP} copy(%d)"))
    assert (found.main, found.on_chip) == (TILE, 2 * TILE)


def test_names_move_nothing():
    found = moved(
        program(
            f"%b = {X} bitcast(%x)",
            f"%t = ({X}, {X}) tuple(%b, %x)",
            f"%g = {X} get-tuple-element(%t), index=1",
            f'%a = {X} custom-call(), custom_call_target="AllocateBuffer"',
            f"ROOT %o = {X} opt-barrier(%g)",
        )
    )
    assert found == Moved()


def test_a_part_counts_as_itself():
    part = "f32[1,64]{1,0:T(1,128)}"  # 512 bytes
    found = moved(
        program(
            "%i = s32[]{:T(128)} constant(1)",
            f"%p = {part} dynamic-slice(%x, %i, %i), dynamic_slice_sizes={{1,64}}",
            f"ROOT %u = {X} dynamic-update-slice(%x, %p, %i, %i)",
        )
    )
    assert found.main == 2 * 512 + 2 * 512


@pytest.mark.parametrize(("config", "trips"), [('{"known_trip_count":{"n":"5"}}', 5), ("{}", 1)])
def test_loops_count_as_often_as_they_run(config, trips):
    inner = computation("body", f"ROOT %n = {ON_CHIP} negate(%p)")
    inner += computation("test", f"ROOT %c = {X} negate(%p)")
    line = f"ROOT %w = {X} while(%x), condition=%test, body=%body, backend_config={config}"
    found = moved(program(line, more=inner))
    assert (found.main, found.on_chip) == (trips * TILE, trips * 3 * TILE)


def test_the_branch_that_moves_most_counts():
    inner = computation("one", f"ROOT %n = {ON_CHIP} negate(%p)")
    inner += computation("two", f"ROOT %a = {ON_CHIP} add(%p, %p)")
    for words in (
        "branch_computations={%one, %two}",
        "true_computation=%two, false_computation=%one",
    ):
        found = moved(program(f"ROOT %c = {X} conditional(%x, %x, %x), {words}", more=inner))
        assert (found.main, found.on_chip) == (0, 3 * TILE)


def test_it_is_what_xla_counts_where_nothing_is_fused():
    shapes = jax.ShapeDtypeStruct((5, 3), "float32"), jax.ShapeDtypeStruct((3, 7), "float32")
    compiled = jax.jit(jnp.dot).lower(*shapes).compile()
    cost = compiled.cost_analysis()
    cost = cost[0] if isinstance(cost, list) else cost
    assert moved(hlo.read(compiled.as_text())).all == cost["bytes accessed"] == 4 * (15 + 21 + 35)


def test_collectives_are_counted_once_each():
    found = collectives(
        program(
            f"%s = ({X}, {X}) all-reduce-start(%x), to_apply=%add",
            f"%r = {X} all-reduce-done(%s)",
            f"%g = ({X}, f32[5]{{0}}) all-gather(%x, %x), dimensions={{0}}",
            f"ROOT %n = {X} negate(%r)",
        )
    )
    assert found == [Collective("all-reduce", USED), Collective("all-gather", USED + 20)]


def test_a_mean_over_devices_is_a_collective():
    mesh = Mesh(np.array(jax.devices()[:4]), ("devices",))
    spread = jax.shard_map(
        lambda x: jax.lax.pmean(x.sum(0), "devices"),
        mesh=mesh, in_specs=PartitionSpec("devices"), out_specs=PartitionSpec(), check_vma=False,
    )  # fmt: skip
    compiled = jax.jit(spread).lower(jax.ShapeDtypeStruct((8, 3), "float32")).compile()
    assert collectives(hlo.read(compiled.as_text())) == [Collective("all-reduce", 12)]


def test_calls_of_the_host_are_seen():
    def function(x):
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    shape = jax.ShapeDtypeStruct((3,), "float32")
    for called, count in ((function, 1), (jnp.sin, 0)):
        module = hlo.read(jax.jit(called).lower(shape).compile().as_text())
        assert len(host_calls(module)) == count
    found = program(
        "%t = token[] after-all()",
        f"%s = ({X}, u32[], token[]) send(%x, %t), channel_id=1, is_host_transfer=true",
        f"%q = ({X}, u32[], token[]) send(%x, %t), channel_id=2",
        "ROOT %o = token[] outfeed(%x, %t)",
    )
    assert host_calls(found) == ["send", "outfeed"]
