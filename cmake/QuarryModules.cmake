# quarry_module(NAME): a static library of quarry/NAME/**.cpp, its unit tests (*_test.cpp -> NAME_test) and fuzz
# targets (*_fuzz.cpp), linked to exactly the modules that cmake/layers.txt allows it to include.
#   LINK, TEST_LINK                    further libraries of the module, of its tests
#   PRIVATE_LINK                       libraries that no header of the module shows: who links it need not see theirs
#   COLD                               no loop of it counts when tests run: see QUARRY_COLD_OPTIMIZATION

file(STRINGS "${CMAKE_SOURCE_DIR}/cmake/layers.txt" QUARRY_LAYERS REGEX "^[a-z]+:")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/cmake/layers.txt")
foreach(line IN LISTS QUARRY_LAYERS)
  string(REGEX MATCH "^([a-z]+): *(.*)$" _ "${line}")
  set(name "${CMAKE_MATCH_1}")
  string(REPLACE " " ";" allowed "${CMAKE_MATCH_2}")
  set(QUARRY_MAY_INCLUDE_${name} "${allowed}")
  list(APPEND QUARRY_MODULES "${name}")
endforeach()

# Configuring fails when a file includes a module that its own module may not include.
function(quarry_check_layers name files)
  set(allowed ${QUARRY_MAY_INCLUDE_${name}} ${name})
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    file(STRINGS "${file}" includes REGEX "^ *# *include +\"quarry/[a-z]+/")
    foreach(include IN LISTS includes)
      string(REGEX MATCH "quarry/([a-z]+)/" _ "${include}")
      if(NOT CMAKE_MATCH_1 IN_LIST allowed)
        message(FATAL_ERROR "layering: ${file} includes quarry/${CMAKE_MATCH_1}/, but cmake/layers.txt allows "
                            "${name} only: ${allowed}")
      endif()
    endforeach()
  endforeach()
endfunction()

# Most of what a small file costs is its headers and the templates in them, and `./run` starts from nothing: it compiles
# the files of a folder as few units. But then a change of one file costs its neighbours too, and a forgotten #include
# goes unnoticed: a developer's own build compiles files one by one, and so does clang-tidy.
option(QUARRY_UNITY "Compile the files of a folder together: for builds from nothing" OFF)
set(QUARRY_TEST_OPTIMIZATION "-O1" CACHE STRING "What tests themselves are compiled with: most of what they spend is in the libraries")
set(QUARRY_COLD_OPTIMIZATION "" CACHE STRING "What modules without hot loops are compiled with, when not as the others")

# quarry_join_files(TARGET FILE...): the files of one folder, at most twelve together, are one unit each. Names in
# their unnamed namespaces must differ (every test has a namespace of its own). A kernel stays apart: it
# chooses Highway's instruction sets, or the compiler's flags, before its first #include.
function(quarry_join_files target)
  if(NOT QUARRY_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  foreach(file IN LISTS ARGN)
    get_filename_component(folder "${file}" DIRECTORY)
    get_filename_component(folder "${folder}" NAME)
    if(folder STREQUAL "kernels")
      continue()
    endif()
    if(NOT DEFINED num_${folder})
      set(num_${folder} 0)
    endif()
    math(EXPR unit "${num_${folder}} / 12")
    math(EXPR num_${folder} "${num_${folder}} + 1")
    set_source_files_properties("${file}" PROPERTIES UNITY_GROUP "${folder}_${unit}")
  endforeach()
endfunction()

# `unit_tests`, `module_tests` and `corpus_tests` build what the ctest labels `unit`, `module` and `corpus` run, and
# nothing else. `module`: the unit tests beside a module's code, without those that cross modules.
if(QUARRY_TESTS)
  add_custom_target(unit_tests)
  add_custom_target(module_tests)
  add_custom_target(corpus_tests)
endif()

# quarry_unit_test(NAME): NAME_test is a GoogleTest program of the label `unit`. The longest have a COST: ctest starts
# them first, and no core waits at the end for one that began last.
function(quarry_unit_test name)
  add_test(NAME ${name} COMMAND ${name}_test)
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 900)
  target_link_libraries(${name}_test PRIVATE GTest::gtest GTest::gtest_main)
  # Most of what tests spend is in the libraries; compiling them is not.
  target_compile_options(${name}_test PRIVATE ${QUARRY_TEST_OPTIMIZATION})
  add_dependencies(unit_tests ${name}_test)
endfunction()

function(quarry_module name)
  cmake_parse_arguments(arg "COLD" "" "LINK;PRIVATE_LINK;TEST_LINK" ${ARGN})
  if(NOT name IN_LIST QUARRY_MODULES)
    message(FATAL_ERROR "module ${name} is not in cmake/layers.txt")
  endif()
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/quarry/${name}/*.hpp")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/quarry/${name}/*.cpp")
  quarry_check_layers(${name} "${headers};${sources}")

  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cpp$")
  # Lower modules come first in quarry/CMakeLists.txt; one that layers.txt names but nobody has written yet is skipped.
  set(links "")
  foreach(lower IN LISTS QUARRY_MAY_INCLUDE_${name})
    if(TARGET quarry_${lower})
      list(APPEND links quarry_${lower})
    endif()
  endforeach()
  if(sources)
    add_library(quarry_${name} STATIC ${sources})
    target_link_libraries(quarry_${name} PUBLIC quarry_flags ${links} ${arg_LINK} PRIVATE ${arg_PRIVATE_LINK})
    quarry_join_files(quarry_${name} ${sources})
    if(arg_COLD)
      target_compile_options(quarry_${name} PRIVATE ${QUARRY_COLD_OPTIMIZATION})
    endif()
  else()
    add_library(quarry_${name} INTERFACE)
    target_link_libraries(quarry_${name} INTERFACE quarry_flags ${links} ${arg_LINK})
  endif()

  if(QUARRY_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE quarry_${name} ${arg_TEST_LINK})
    quarry_unit_test(${name})
    set_tests_properties(${name} PROPERTIES LABELS "unit;module")
    add_dependencies(module_tests ${name}_test)
    quarry_join_files(${name}_test ${tests})
  endif()

  foreach(fuzzer IN LISTS fuzzers)
    get_filename_component(stem "${fuzzer}" NAME_WE)
    if(QUARRY_FUZZ)
      add_executable(${stem} ${fuzzer})
      target_compile_options(${stem} PRIVATE -fsanitize=fuzzer)
      target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
      target_link_libraries(${stem} PRIVATE quarry_${name})
      set_property(GLOBAL APPEND PROPERTY QUARRY_FUZZERS ${stem})
    elseif(QUARRY_TESTS)
      # Replays the kept corpus (tests/corpora/<stem>) through the same entry point, without libFuzzer.
      if(NOT TARGET quarry_replay_main)
        add_library(quarry_replay_main OBJECT "${CMAKE_SOURCE_DIR}/tests/replay_main.cpp")
        target_link_libraries(quarry_replay_main PRIVATE quarry_flags)
      endif()
      add_executable(${stem}_replay ${fuzzer})
      target_link_libraries(${stem}_replay PRIVATE quarry_replay_main quarry_${name})
      add_dependencies(corpus_tests ${stem}_replay)
      add_test(NAME ${stem}_replay COMMAND ${stem}_replay "${CMAKE_SOURCE_DIR}/tests/corpora/${stem}")
      set_tests_properties(${stem}_replay PROPERTIES LABELS corpus TIMEOUT 300)
    endif()
  endforeach()
endfunction()
