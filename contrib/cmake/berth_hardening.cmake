# SPDX-License-Identifier: Apache-2.0
# Hardening of optimised builds, and the sanitizers of test builds.
add_compile_definitions(_GNU_SOURCE)
add_compile_options(-fno-common -fvisibility=hidden -fno-strict-aliasing)

if(BERTH_SANITIZE)
	add_compile_options(-fsanitize=${BERTH_SANITIZE} -fno-sanitize-recover=all
			    -fno-omit-frame-pointer)
	add_link_options(-fsanitize=${BERTH_SANITIZE})
	set(BERTH_STATIC OFF)
else()
	add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection
			    -ffunction-sections -fdata-sections)
	add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--gc-sections)
	if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
		add_compile_definitions(_FORTIFY_SOURCE=2)
	endif()
endif()

# One static, position-independent executable: no library is looked up near a container, and the
# program starts faster than a dynamic one.
function(berth_link_static target)
	if(BERTH_STATIC)
		target_link_options(${target} PRIVATE -static-pie)
	else()
		target_link_options(${target} PRIVATE -pie)
	endif()
endfunction()
