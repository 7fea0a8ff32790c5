# Writes the preset experiments of resources/presets into one C++ file, so that the programs need
# no data folder of their own.
file(GLOB presets ${SOURCE}/*.json)
list(SORT presets)
set(text "#include \"core/experiment/preset_data.h\"\n\nnamespace bulwark {\n\n")
string(APPEND text "const std::vector<PresetText>& presetTexts() {\n")
string(APPEND text "  static const std::vector<PresetText> texts = {\n")
foreach(preset IN LISTS presets)
  get_filename_component(name ${preset} NAME_WE)
  file(READ ${preset} content)
  string(APPEND text "      {\"${name}\", R\"~json~(${content})~json~\"},\n")
endforeach()
string(APPEND text "  };\n  return texts;\n}\n\n}  // namespace bulwark\n")
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "${text}" @ONLY)
