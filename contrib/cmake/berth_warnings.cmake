# SPDX-License-Identifier: Apache-2.0
# The warnings under which everything in the tree compiles without one.
add_compile_options(
	-Wall -Wextra -Werror -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes
	-Wmissing-declarations -Wpointer-arith -Wvla -Wswitch-enum -Wundef -Wwrite-strings)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	add_compile_options(-Wimplicit-fallthrough=5)
else()
	add_compile_options(-Wimplicit-fallthrough -Wno-gnu-statement-expression)
endif()
