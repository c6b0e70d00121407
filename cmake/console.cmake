# suan_embed_console(room): the files of console/dist become part of the room's library. Nothing is
# downloaded or built with npm here: without console/dist the table is empty, and the server says how
# to build it. When dist appears, goes or changes, the next build notices.
function(suan_embed_console room)
  if(NOT TARGET ${room})
    return()
  endif()
  file(GLOB_RECURSE dist CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/console/dist/*)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  set(embed ${CMAKE_SOURCE_DIR}/tools/embed.py)
  set(out ${CMAKE_BINARY_DIR}/console/console_assets.cc)
  # The list of files is written down so that one that goes away is noticed too.
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/console/files.txt CONTENT "${dist}\n" @ONLY)
  add_custom_command(
    OUTPUT ${out}
    COMMAND Python3::Interpreter ${embed} ${CMAKE_SOURCE_DIR}/console/dist ${out}
    DEPENDS ${embed} ${dist} ${CMAKE_BINARY_DIR}/console/files.txt
    COMMENT "Embedding the console"
    VERBATIM)
  target_sources(${room} PRIVATE ${out})
  if(NOT SUAN_FUZZ)
    add_test(NAME embed COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/embed_test.py
                                ${CMAKE_CXX_COMPILER})
  endif()
endfunction()
