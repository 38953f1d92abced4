"""Seeds and dictionaries for the fuzzers of texts and of checkpoints.

Input: a folder; output: in it a folder of small seeds for TemplateFuzzer, MessagesFuzzer,
GrammarFuzzer, CheckpointFuzzer (GGUF) and, a container each, for FolderFuzzer (Split,
HuggingFace, Llama2c), and NAME.dict. Seeds are what the end-to-end tests have: a tag for each
feature of templates, drawn conversations, grammars and schemas; models of a few hundred
numbers. Whole templates of models are no good seeds: a fuzzer runs a hundred of them in a
second, and a thousand or more of these. Words of the dictionaries are those that the sources
compare with.

    build/venv/bin/python test/fuzz/make_corpus.py CORPUS
    build/fuzz/bin/TemplateFuzzer -max_len=400 -dict=CORPUS/Template.dict CORPUS/Template
    build/fuzz/bin/FolderFuzzer -max_len=8192 -dict=CORPUS/HuggingFace.dict CORPUS/HuggingFace
"""

import json
import random
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "e2e"))
import container_models as cm  # noqa: E402
import test_grammar  # noqa: E402
import test_templates  # noqa: E402

# Bytes of a seed at most; what is longer is slow and has several features.
MOST = 400
MOST_OF_CHECKPOINTS = 8000
# Seldom more than a float or two in a row: mutations of weights are no use.
SIZES = [cm.Sizes(dim=4, heads=2, kv_heads=1, hidden=2, vocabulary=6, layers=1),
         cm.Sizes(dim=4, heads=1, kv_heads=1, hidden=2, vocabulary=5, layers=2, tied=True),
         cm.Sizes(dim=2, heads=2, kv_heads=2, hidden=4, vocabulary=5, layers=1, head_size=2)]


def templates():
    """Each tag of an expression alone, lines of statements whole."""
    for line in test_templates.FEATURES:
        tags = re.findall(r"\{\{.*?\}\}(?!\})", line) if "{%" not in line else [line]
        yield from (tag.replace("m", "messages", 1) if re.match(r"\{\{ m\b", tag) else tag
                    for tag in tags or [line])


def messages():
    rng = random.Random(1)
    for number in range(200):
        drawn = test_templates.conversation(rng)
        text = json.dumps(drawn["messages"], ensure_ascii=number % 2 == 0, separators=(",", ":"))
        variables = json.dumps(drawn["more"], separators=(",", ":"))
        yield f"{number % 7}{text}\0{variables}"


def grammars():
    ways = "".join(chr(ord("a") + i * 7 % 26) for i in range(12))
    for grammar, _ in test_grammar.GRAMMARS.values():
        yield f"{grammar}\0{ways}"
    for schema in [*test_grammar.SCHEMAS, *(row[0] for row in test_grammar.REFUSED)]:
        text = schema if isinstance(schema, str) else json.dumps(schema, separators=(",", ":"))
        yield f"{text}\0{ways}"


def join(files):
    """{name: bytes} as FolderVerify.h has it."""
    return b"".join(name.encode() + b"\xff" + str(len(data)).encode() + b"\xff" + data
                    for name, data in sorted(files.items()))


def weights(sizes):
    return cm.draw(sizes, 1)


def gguf_files():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.gguf"
        for sizes in SIZES:
            for form, norms, version in [("F32", "F32", 3), ("F16", "BF16", 2)]:
                cm.write_gguf(path, sizes, weights(sizes), form, norms, version)
                yield path.read_bytes()


def split_files():
    for sizes in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            for parts in (4, 7):
                paths = cm.write_gguf(Path(folder) / f"{parts}.gguf", sizes, weights(sizes),
                                      "F16", split=parts)
                yield join({path.name: path.read_bytes() for path in paths})


# Beside the weights: a vocabulary of four tokens, as byte-level BPE.
TOKENIZER = {"added_tokens": [{"id": 3, "content": "<|e|>", "special": True}],
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False},
             "post_processor": {"type": "TemplateProcessing",
                                "single": [{"SpecialToken": {"id": "<|e|>"}},
                                           {"Sequence": {"id": "A"}}],
                                "special_tokens": {"<|e|>": {"ids": [3]}}},
             "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}
FAMILIES = [
    {}, dict(rope_scaling={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                           "high_freq_factor": 4.0, "original_max_position_embeddings": 16}),
    dict(rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}),
    dict(model_type="mistral", architectures=["MistralForCausalLM"], sliding_window=4),
    dict(model_type="qwen2", architectures=["Qwen2ForCausalLM"]),
    dict(model_type="qwen3", architectures=["Qwen3ForCausalLM"], rope_scaling={
        "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16})]


def folders():
    for i, changes in enumerate(FAMILIES):
        sizes = SIZES[i % len(SIZES)]
        drawn = weights(sizes)
        family = changes.get("model_type")
        cm.add_weights(drawn, sizes, 1, ("q_proj", "k_proj", "v_proj")
                       if family == "qwen2" else (), family == "qwen3")
        for shards in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                path = cm.write_folder(Path(folder), sizes, drawn, "BF16", shards=shards,
                                       **changes)
                files = {file.name: file.read_bytes() for file in path.iterdir()}
            files["tokenizer.json"] = json.dumps(TOKENIZER, separators=(",", ":")).encode()
            files["generation_config.json"] = b'{"eos_token_id":[2,3]}'
            files["tokenizer_config.json"] = (
                b'{"eos_token":{"content":"<|e|>"},"chat_template":[{"name":"default",'
                b'"template":"{{ x }}"}]}')
            yield join(files)


def llama2c_files():
    pieces = [("<unk>", 0), ("<s>", 0), ("</s>", 0), ("a", -1), ("\u2581a", -2), ("b", -3)]
    for sizes in SIZES[:2]:
        for version in (0, 1, 2):
            yield join({"m.bin": cm.llama2c_bytes(sizes, weights(sizes), version),
                        "tokenizer.bin": cm.tokenizer_bin(pieces[:sizes.vocabulary])})


def words(folder):
    for path in sorted((ROOT / folder).glob("*.cpp")):
        yield from re.findall(r'"([A-Za-z_$%][A-Za-z_$-]{1,20}|[^\w\s"\\]{1,3})"', path.read_text())


def checkpoint_words(*files):
    for file in files:
        text = (ROOT / "compiler" / file).read_text()
        for word in re.findall(r'"([A-Za-z_][\w.]{1,48})"', text):
            yield word
            if file.endswith("GGUFConfig.cpp") and not word.startswith("general."):
                yield "llama." + word


GGUF_SOURCES = ("Checkpoint/GGUFConfig.cpp", "Checkpoint/GGUFContainer.cpp", "Text/GGUFText.cpp")
# Name of seeds: what makes them, the most bytes of one, words.
CORPORA = {
    "Template": (templates, MOST, lambda: words("runtime/Templates")),
    "Messages": (messages, MOST, lambda: words("runtime/Templates")),
    "Grammar": (grammars, MOST, lambda: words("runtime/Grammar")),
    "Checkpoint": (gguf_files, MOST_OF_CHECKPOINTS, lambda: checkpoint_words(*GGUF_SOURCES)),
    "Split": (split_files, MOST_OF_CHECKPOINTS, lambda: checkpoint_words(*GGUF_SOURCES)),
    "HuggingFace": (folders, MOST_OF_CHECKPOINTS, lambda: checkpoint_words(
        "Checkpoint/HuggingFaceConfig.cpp", "Checkpoint/HuggingFaceContainer.cpp",
        "Checkpoint/Safetensors.cpp", "Text/HuggingFaceText.cpp", "Text/TokenizerJson.cpp")),
    "Llama2c": (llama2c_files, MOST_OF_CHECKPOINTS, None),
}


def main():
    folder = Path(sys.argv[1])
    for name, (seeds, most, dictionary) in CORPORA.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        small = [seed for seed in (seed if isinstance(seed, bytes) else seed.encode()
                                   for seed in seeds()) if len(seed) <= most]
        for number, seed in enumerate(small):
            (folder / name / f"{number:03}").write_bytes(seed)
        listed = sorted(set(dictionary())) if dictionary else []
        if listed:
            (folder / f"{name}.dict").write_text("".join(f'"{word}"\n' for word in listed))
        print(f"{name}: {len(small)} seeds, {len(listed)} words")


if __name__ == "__main__":
    main()
