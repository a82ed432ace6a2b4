# Read by CTest before the tests of a directory. It has only the commands of scripts, and cannot change the command of a test
# that it knows. So add_test itself adds the launcher.
if(COMMAND testfleet_launch)
  return()
endif()
include("${CMAKE_CURRENT_LIST_DIR}/testfleet-name-log.cmake")

# Starts a test of that directory with the launcher.
function(testfleet_launch directory test)
  get_filename_component(real "${directory}" REALPATH)
  set_property(GLOBAL PROPERTY "testfleet test ${real} ${test}" "${ARGN}")
endfunction()

# Starts all tests of a program with the launcher.
function(testfleet_launch_program program fixture)
  set_property(GLOBAL PROPERTY "testfleet program ${program}" "${ARGN}")
  set_property(GLOBAL PROPERTY "testfleet fixture ${program}" "${fixture}")
endfunction()

function(testfleet_lock_program program)
  set_property(GLOBAL PROPERTY "testfleet locks ${program}" "${ARGN}")
endfunction()

# CTest gives no directory for the file that it reads first: that is in the working folder.
function(testfleet_find_directory result)
  set(directory "${CMAKE_CURRENT_LIST_DIR}")
  if("${directory}" STREQUAL "")
    get_property(directory GLOBAL PROPERTY "testfleet working folder")
    if(NOT directory)
      execute_process(COMMAND pwd OUTPUT_VARIABLE directory OUTPUT_STRIP_TRAILING_WHITESPACE)
      set_property(GLOBAL PROPERTY "testfleet working folder" "${directory}")
    endif()
  endif()
  get_filename_component(directory "${directory}" REALPATH)
  set(${result} "${directory}" PARENT_SCOPE)
endfunction()

function(add_test)
  testfleet_find_directory(directory)
  get_property(launcher GLOBAL PROPERTY "testfleet test ${directory} ${ARGV0}")
  set(program "")
  math(EXPR last "${ARGC} - 1")
  # Words of a command may be empty, and may have a semicolon, so no list can have them.
  set(words "")
  foreach(index RANGE 1 ${last})
    string(APPEND words " \"\${ARGV${index}}\"")
    # Not only the first one: an emulator, a TEST_LAUNCHER or `env` may start the program.
    if(NOT launcher)
      set(program "${ARGV${index}}")
      get_property(launcher GLOBAL PROPERTY "testfleet program ${program}")
    endif()
  endforeach()
  if(launcher)
    testfleet_name_log("${ARGV0}" log)
    list(GET launcher -3 state)
    list(APPEND launcher "${log}" "${ARGV0}")
  endif()
  cmake_language(EVAL CODE "_add_test(\"\${ARGV0}\" \${launcher}${words})")
  get_property(fixture GLOBAL PROPERTY "testfleet fixture ${program}")
  if(launcher AND fixture)
    get_property(locks GLOBAL PROPERTY "testfleet locks ${program}")
    set_tests_properties("${ARGV0}" PROPERTIES FIXTURES_REQUIRED "${fixture}" RESOURCE_LOCK "${locks}"
      ATTACHED_FILES_ON_FAIL "${state}/logs/${log}")
  endif()
endfunction()
