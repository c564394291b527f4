"""The words of the formats, good and bad, from which inputs are put together."""

from __future__ import annotations

# --- YAML ---------------------------------------------------------------------------------

YAML_TEXTS = (
    *("&a ", "*a", "!!int ", "!!python/object:os.system ", "! ", "<<: *a", "? ", "- ", ": ", "# "),
    *("[", "]", "{", "}", ",", "|\n", ">-\n", "'", '"', "\\", "\t", "\n", "\r", "\n\n  ", "---\n"),
    *("...\n", "%YAML 1.2\n", "%TAG ! tag:x,2000:\n", "~", "null", "1e999", ".nan", "-.inf", "0x"),
    *("0o17", "1_000", "12:30", "2001-01-01", "yes", "extends: base.yaml\n"),
    *("\ufeff", "\x00", "\x85", "\u2028", "\x1b[31m", "é", "😀", "9" * 80, "0" * 5000, "a" * 3000),
)
YAML_BYTES = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xfe\xff\x00", b"\xef\xbb\xbf")

#: Each is written many times in a row; ``{n}`` is the number of the repetition.
YAML_UNITS = (
    *("[", "{a: ", "[[", "- ", "? ", "- - ", "a:\n  ", "&a{n} [", "*a, ", "&a{n} ", "!a "),
    *("k{n}: 1\n", "learning_rat{n}: 1\n", "- *a\n", "- &a{n} [*a]\n", "- x\n", "\n", "  \n", "#"),
    *("- {type: dense, unts: 1}\n", "- {type: dens}\n", "- {}\n", "- {type: dense, units: -1}\n"),
    *(
        "accuracy, ",
        "test.accuracy >= 1, ",
        "x",
        "\\",
        "é",
        "0",
        "9",
        "| \n",
        "a: b: ",
        "- [",
        ": ",
    ),
    *("---\n", "<<: *a\n", "? a\n: b\n", "? [a]\n: b\n", "x{n}: &b{n} {y: 1}\n", "'", '"'),
    *("-", "_", " ", "\t"),
)
YAML_BEFORE = (
    *("", "a: &a [x, x, x, x, x, x, x, x]\n", "model:\n  layers: [", "model: {layers: ["),
    *("data: {", "expect: [", "metrics: [", "name: ", "- &a [x]\n", "data:\n  features: ["),
    *("extends: ", "&a x\n", "model:\n  layers:\n", "data:\n", "optimizer: {", '"', "'"),
    *("|\n ", "x: [", "seed: "),
)
YAML_AFTER = ("", "]", "}", "\n", "]}\n", "x", ": x\n", '"\n')

# --- tables -------------------------------------------------------------------------------

_CSV_TEXTS = (
    *(",", '"', '""', "\n", "\r\n", "\r", "\n\n", ";", "\t", " ", "|", "nan", "NaN", "inf", "-inf"),
    *("1e400", "1e39", "-0", "0x10", "1_0", "1.0", "01", "+1", ".5", "5.", "True", "null", "'"),
    *("a,b,kind\n", "kind", "*", "^a.*$", "x^", "\ufeff", "é", "😀", "\x00", "\x85", "\u2028"),
    *("9" * 40, "1" * 400, "x" * 3000, '"a\nb"', "\\", "#", "=1+1", "١", "\u00a0", "1,2,a\n"),
)
CSV_WORDS = (
    *(text.encode() for text in _CSV_TEXTS),
    *(
        b"\xff",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\x1f\x8b",
        b"PK\x03\x04",
        b"\x28\xb5\x2f\xfd",
        b"\x78\x9c",
    ),
)
CSV_CELLS = (
    *(b"1", b"-2.5", b"3e2", b"0", b"", b" ", b"x", b"y", b'"q"', b'"a,b"', b'"a""b"', b'"a\nb"'),
    *(b"nan", b"inf", b"1e400", b"1e39", b"1e-400", b" 7 ", b"null", b'"', b'a"b', b"\xc3\xa9"),
    *(b"1.0", b"01", b"-0", b"9" * 30, b"true", b"2001-01-01", b"1_0", b"0x1", b"\xd9\xa1", b"*"),
)
CSV_UNITS = (*CSV_CELLS, *CSV_WORDS, b"a,", b"1,2,x\n", b",,\n", b"c{n},", b'"1",', b"{n},x\n")
CSV_BEFORE = (b"", b"a,b,kind\n", b"a,b,kind\n1,2,", b'a,kind\n1,"', b"a,kind\n")
CSV_AFTER = (b"", b"\n", b"\n1,2,x\n", b'"\n', b"kind\n1\n")

# --- arrays -------------------------------------------------------------------------------

IDX_WORDS = (b"\0\0\x08\x03", b"\0\0\x0d\x02", b"\0\0\x0e\x01", b"\x1f\x8b", b"\0\0\x08\xff")

NPY_DTYPES = (
    *("|u1", "<f4", "<f8", ">f8", "<i8", ">i2", "<u8", "|b1", "<f2", "?", "=i4", "<U1", "<U5"),
    *(">U3", "|O", "<c16", "|S3", "<M8[s]", "|V4", "<U0", "<U999999999", "<f16", "<i3", "i99"),
    *("", "f4,f4"),
)
NPY_WORDS = (
    *(b"\x93NUMPY\x01\x00", b"'descr': ", b"'fortran_order': ", b"'shape': ", b"True", b"(4,)"),
    *(b"()", b"(4, 2, 2)", b"'<f8'", b"'|O'", b"'<U5'", b"[('a', '<f4')]", b"4L", b"-1", b"\n"),
    b"9" * 30,
)
PICTURE_WORDS = (
    *(b"IHDR", b"IDAT", b"PLTE", b"tRNS", b"eXIf", b"iCCP", b"zTXt", b"acTL", b"IEND"),
    *(b"\xff\xd8\xff", b"\xff\xc0", b"\xff\xc2", b"\xff\xda", b"\xff\xe1", b"Exif\0\0"),
    *(b"GIF89a", b"BM", b"RIFF", b"WEBPVP8 ", b"WEBPVP8L", b"II*\0", b"MM\0*", b"P5\n", b"P3\n"),
    *(b"\x00\x00\x03\xe8", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x00"),
)
ZIP_WORDS = (
    *(b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08"),
    *NPY_WORDS,
)

# --- checkpoints --------------------------------------------------------------------------

CHECKPOINT_WORDS = (
    *(b'"format_version": 2,', b'"sha256"', b'"shape"', b'"data_offsets"', b'"dtype"', b'"F32"'),
    *(b'"__metadata__"', b"NaN", b"Infinity", b"1e999", b"-0", b"null", b"true", b"{}", b"[]"),
    *(b"[[[[", b'"I64"', b'"\\ud800"', b"\xc3\xa9", b"\xff", b"\0", b'"a": 1, "a": 2'),
    *(b"9" * 400, b"layers.1.kernel"),
)
