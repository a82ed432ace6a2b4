# Read by CTest before the tests of a directory. It has only the commands of scripts, and cannot change the command of a test
# that it knows. So add_test itself adds the launcher.
if(COMMAND testfleet_launch)
  return()
endif()

# Starts a test of that directory with the launcher.
function(testfleet_launch directory test)
  get_filename_component(real "${directory}" REALPATH)
  set_property(GLOBAL PROPERTY "testfleet ${real} ${test}" "${ARGN}")
endfunction()

# Starts all tests of a program with the launcher.
function(testfleet_launch_program program fixture)
  set_property(GLOBAL PROPERTY "testfleet ${program}" "${ARGN}")
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
  get_property(launcher GLOBAL PROPERTY "testfleet ${directory} ${ARGV0}")
  set(fixture "")
  if(NOT launcher AND ARGC GREATER 1)
    get_property(launcher GLOBAL PROPERTY "testfleet ${ARGV1}")
    get_property(fixture GLOBAL PROPERTY "testfleet fixture ${ARGV1}")
  endif()
  if(launcher)
    list(APPEND launcher "${ARGV0}")
  endif()
  # Words of a command may be empty, and may have a semicolon, so no list can have them.
  set(call "_add_test(\"\${ARGV0}\" \${launcher}")
  math(EXPR last "${ARGC} - 1")
  foreach(index RANGE 1 ${last})
    string(APPEND call " \"\${ARGV${index}}\"")
  endforeach()
  cmake_language(EVAL CODE "${call})")
  if(fixture)
    list(GET launcher -4 state)
    get_property(locks GLOBAL PROPERTY "testfleet locks ${ARGV1}")
    string(REGEX REPLACE "[^A-Za-z0-9_.-]" "_" log "${ARGV0}")
    set_tests_properties("${ARGV0}" PROPERTIES FIXTURES_REQUIRED "${fixture}" RESOURCE_LOCK "${locks}"
      ATTACHED_FILES_ON_FAIL "${state}/logs/${log}.log")
  endif()
endfunction()
