# Stands in for Zephyr's CMake package in tests: the functions that a module and an application use, for the host or
# for any cross-compiler. Options come from the application's prj.conf, as Kconfig would set them.
file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/prj.conf settings REGEX "^CONFIG_")
foreach(setting IN LISTS settings)
  string(REGEX MATCH "^([A-Z0-9_]+)=(.*)$" found "${setting}")
  set(${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
endforeach()

enable_language(C)
add_executable(app)
set(stub_libraries)

function(zephyr_include_directories)
  foreach(folder IN LISTS ARGN)
    target_include_directories(app PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
    include_directories(${CMAKE_CURRENT_SOURCE_DIR}/${folder})
  endforeach()
endfunction()

macro(zephyr_library_named name)
  set(ZEPHYR_CURRENT_LIBRARY ${name})
  add_library(${name} STATIC)
  target_link_libraries(app PRIVATE ${name})
endmacro()

function(zephyr_library_sources)
  target_sources(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGN})
endfunction()

target_include_directories(app PRIVATE ${Zephyr_DIR}/include)
foreach(module IN LISTS EXTRA_ZEPHYR_MODULES)
  add_subdirectory(${module} ${CMAKE_CURRENT_BINARY_DIR}/module)
endforeach()
