# /// script
# dependencies = ["llvmlite"]
# [tool.trace]
# kind = "science"
# ///
"""Compile a module."""

from llvmlite import binding

binding.initialize_native_target()
binding.initialize_native_asmprinter()
module = binding.parse_assembly("define i32 @f() { ret i32 1 }")
binding.create_mcjit_compiler(module, binding.Target.from_default_triple().create_target_machine())
