# SPDX-License-Identifier: Apache-2.0
# A room of the house: one object library of every .c file in its directory, which knows the rooms
# below it and nothing else. Where a call goes upwards, the unit-test binary of the room does not
# link (docs/architecture.md has the ranks).
#
# berth_room(NAME ROOMS room… LIBRARIES library…)
function(berth_room name)
	cmake_parse_arguments(ROOM "" "" "ROOMS;LIBRARIES" ${ARGN})
	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c)
	add_library(berth_${name} OBJECT ${sources})
	target_include_directories(berth_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include)
	foreach(room ${ROOM_ROOMS})
		target_link_libraries(berth_${name} PUBLIC berth_${room})
	endforeach()
	target_link_libraries(berth_${name} PUBLIC ${ROOM_LIBRARIES})
	if(name STREQUAL "base" OR name STREQUAL "spec")
		target_compile_options(berth_${name} PRIVATE -Wconversion)
	endif()
endfunction()

# Objects of rooms are linked by naming them: CMake does not pass them on by itself.
function(berth_link_rooms target)
	foreach(room ${ARGN})
		target_sources(${target} PRIVATE $<TARGET_OBJECTS:berth_${room}>)
		target_link_libraries(${target} PRIVATE berth_${room})
	endforeach()
endfunction()
