# /// script
# dependencies = ["pysam"]
# [tool.trace]
# kind = "science"
# ///
"""Write alignments and read them."""

import pysam

header = {"HD": {"VN": "1.0"}, "SQ": [{"SN": "a", "LN": 100}]}
with pysam.AlignmentFile("a.bam", "wb", header=header) as file:
    assert file.nreferences == 1
pysam.index("a.bam")
