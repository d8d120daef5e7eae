# ckzg: KZG commitments and openings of EIP-4844 blobs, compiled from the C sources inside the npm package c-kzg
# (`npm ci --ignore-scripts`, which `./run` calls before it builds). QUARRY_TRUSTED_SETUP: the ceremony's file beside
# them, where the program looks for it unless it is told another place.
set(ckzg_root "${CMAKE_SOURCE_DIR}/node_modules/c-kzg/deps")
if(NOT EXISTS "${ckzg_root}/c-kzg/ckzg.c")
  message(FATAL_ERROR "no node_modules/c-kzg: run `npm ci --ignore-scripts` in ${CMAKE_SOURCE_DIR}, or build with ./run build")
endif()
enable_language(ASM)
add_library(ckzg STATIC "${ckzg_root}/c-kzg/ckzg.c" "${ckzg_root}/blst/src/server.c" "${ckzg_root}/blst/build/assembly.S")
target_include_directories(ckzg SYSTEM PUBLIC "${ckzg_root}/c-kzg" "${ckzg_root}/blst/bindings")
target_compile_definitions(ckzg PRIVATE __BLST_PORTABLE__)
target_compile_options(ckzg PRIVATE -O2 -w)
set(QUARRY_TRUSTED_SETUP "${ckzg_root}/c-kzg/trusted_setup.txt")
