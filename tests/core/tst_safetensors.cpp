#include <cstring>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/nn/safetensors.h"

using namespace bulwark;

namespace {

std::string bytesOf(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

class TestSafetensors : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  std::filesystem::path path(const char* name) const {
    return std::filesystem::path(folder_.path().toStdString()) / name;
  }

 private Q_SLOTS:
  void roundTrip() {
    const torch::Tensor base = torch::arange(-6, 6, torch::kFloat64).reshape({3, 4});
    TensorFile file;
    for (const auto type : {torch::kFloat64, torch::kFloat32, torch::kFloat16, torch::kBFloat16,
                            torch::kInt64, torch::kInt32, torch::kInt16, torch::kInt8}) {
      file.tensors[torch::toString(type)] = base.to(type);
    }
    file.tensors["byte"] = base.abs().to(torch::kUInt8);
    file.tensors["bool"] = base > 0;
    file.tensors["scalar"] = torch::scalar_tensor(2.5);
    file.tensors["empty"] = torch::empty({0, 7});
    file.tensors["transposed"] = base.t();
    file.tensors["quotes \"and\" äöü\n"] = base;
    file.metadata = {{"format", "pt"}, {"note", "line\n\"quoted\""}};
    file.save(path("all.safetensors"));
    const TensorFile back = TensorFile::load(path("all.safetensors"));
    QCOMPARE(back.tensors.size(), file.tensors.size());
    QCOMPARE(back.metadata, file.metadata);
    for (const auto& [name, tensor] : file.tensors) {
      const auto found = back.tensors.find(name);
      QVERIFY2(found != back.tensors.end(), name.c_str());
      QCOMPARE(found->second.scalar_type(), tensor.scalar_type());
      QVERIFY2(torch::equal(found->second, tensor), name.c_str());
    }
  }

  // The layout that the public package reads: length, header padded with spaces to 8, raw data.
  void exactBytes() {
    TensorFile file;
    file.tensors["b"] = torch::tensor({1.0F, -2.0F});
    file.tensors["a"] = torch::tensor({1, 2, 3}, torch::kUInt8);
    file.metadata["k"] = "v";
    file.save(path("tiny.safetensors"));
    std::string header =
        R"({"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
        R"("a":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const std::string data("\x00\x00\x80\x3f\x00\x00\x00\xc0\x01\x02\x03", 11);
    QCOMPARE(QByteArray::fromStdString(readFile(path("tiny.safetensors"))),
             QByteArray::fromStdString(bytesOf(header, data)));
  }

  // As the public package writes it: no padding to speak of, sorted by name.
  void readsForeignFiles() {
    writeFileAtomically(path("foreign"),
                        bytesOf(R"({"w":{"shape":[1,2],"data_offsets":[1,9],"dtype":"F32"},)"
                                R"("x":{"dtype":"BOOL","data_offsets":[0,1],"shape":[]}}   )",
                                std::string("\x01\x00\x00\x80\x3f\x00\x00\x00\xc0", 9)));
    const TensorFile file = TensorFile::load(path("foreign"));
    QVERIFY(torch::equal(file.tensors.at("w"), torch::tensor({{1.0F, -2.0F}})));
    QVERIFY(file.tensors.at("x").item<bool>());
  }

  void refusesDamage_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* name, const std::string& bytes, const char* says) {
      QTest::newRow(name) << QByteArray::fromStdString(bytes) << says;
    };
    const auto one = [](const std::string& entry, const std::string& data) {
      return bytesOf("{\"a\":" + entry + "}", data);
    };
    const std::string whole =
        one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", std::string(8, '\1'));
    row("empty", "", "cut short");
    row("seven bytes", std::string(7, '\0'), "cut short");
    row("in the header", whole.substr(0, 20), "cut short");
    row("in the data", whole.substr(0, whole.size() - 1), "cut short: 7 of 8 bytes");
    row("trailing", whole + "x", "1 bytes follow");
    row("text file", "This is a text file, not weights at all.", "not a safetensors file");
    row("header too long", std::string(8, '\x7f') + "{}", "not a safetensors file");
    row("header too short", std::string(8, '\0') + "{}", "not a safetensors file");
    row("no object", bytesOf("[1, 2, 3]", ""), "not a JSON object");
    row("no JSON", bytesOf("{\"a\": nonsense}", ""), "not valid JSON");
    row("invalid UTF-8", bytesOf("{\"\xff\xfe\": 1}", ""), "not valid JSON");
    row("name twice",
        bytesOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                "xy"),
        "'a' twice");
    row("gap",
        bytesOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                "xyz"),
        "gap");
    row("overlap",
        bytesOf(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                "xyz"),
        "inside");
    row("first byte unused", one(R"({"dtype":"U8","shape":[1],"data_offsets":[1,2]})", "xy"),
        "gap");
    row("backwards", one(R"({"dtype":"U8","shape":[1],"data_offsets":[2,1]})", "xy"),
        "ends before");
    row("size", one(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})", std::string(8, 'x')),
        "takes 12 bytes");
    row("overflow",
        one(R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]})", ""),
        "too large");
    row("negative", one(R"({"dtype":"U8","shape":[-1],"data_offsets":[0,1]})", "x"), "shape");
    row("fraction", one(R"({"dtype":"U8","shape":[1.5],"data_offsets":[0,1]})", "x"), "shape");
    row("type", one(R"({"dtype":"Q7","shape":[1],"data_offsets":[0,1]})", "x"), "\"Q7\"");
    row("entry", one(R"({"dtype":"U8","shape":[1]})", "x"), "not {dtype");
    row("offsets", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0]})", "x"), "offsets");
    row("bool", one(R"({"dtype":"BOOL","shape":[1],"data_offsets":[0,1]})", "\x02"), "BOOL");
    row("metadata", bytesOf(R"({"__metadata__":{"a":1}})", ""), "__metadata__");
  }
  void refusesDamage() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, says);
    writeFileAtomically(path("bad.safetensors"), bytes.toStdString());
    try {
      TensorFile::load(path("bad.safetensors"));
      QFAIL("the file was read");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), Error::Kind::BadInput);
      QVERIFY2(contains(error.problem(), says.toStdString()), error.what());
      QVERIFY2(contains(error.where(), "bad.safetensors"), error.what());
      QVERIFY2(!error.hint().empty(), error.what());
    }
  }

  void everyCutIsNoticed() {
    TensorFile file;
    file.tensors["a"] = torch::arange(5);
    file.tensors["b"] = torch::ones({2, 2});
    file.save(path("whole"));
    const std::string bytes = readFile(path("whole"));
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      writeFileAtomically(path("cut"), bytes.substr(0, length));
      QVERIFY_EXCEPTION_THROWN(TensorFile::load(path("cut")), Error);
    }
    QVERIFY_EXCEPTION_THROWN(TensorFile::load(path("absent")), Error);
  }

  void refusesTypesItCannotStore() {
    TensorFile file;
    file.tensors["z"] = torch::zeros({2}, torch::kComplexFloat);
    QVERIFY_EXCEPTION_THROWN(file.save(path("complex")), Error);
    QVERIFY(!std::filesystem::exists(path("complex")));
  }

  void modulesRoundTrip() {
    torch::nn::Sequential from(torch::nn::Conv2d(1, 2, 3), torch::nn::BatchNorm2d(2));
    torch::nn::Sequential to(torch::nn::Conv2d(1, 2, 3), torch::nn::BatchNorm2d(2));
    from->forward(torch::rand({4, 1, 8, 8}));
    TensorFile file;
    addModule(file, *from, "model.");
    file.save(path("module"));
    loadModule(*to, TensorFile::load(path("module")), "module", "model.");
    const auto parameters = from->named_parameters();
    for (const auto& item : to->named_parameters()) {
      QVERIFY2(torch::equal(item.value(), parameters[item.key()]), item.key().c_str());
      QVERIFY(item.value().requires_grad());
    }
    const auto buffers = from->named_buffers();
    for (const auto& item : to->named_buffers()) {
      QVERIFY2(torch::equal(item.value(), buffers[item.key()]), item.key().c_str());
    }
  }

  void partialMatchIsAnError() {
    torch::nn::Linear from(3, 4), to(3, 5);
    const torch::Tensor before = to->weight.detach().clone();
    TensorFile file;
    addModule(file, *from);
    file.tensors["extra"] = torch::ones({1});
    file.tensors.erase("bias");
    try {
      loadModule(*to, file, "weights.safetensors");
      QFAIL("a partial match was accepted");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), Error::Kind::BadInput);
      QVERIFY2(contains(error.problem(), "missing: bias"), error.what());
      QVERIFY2(contains(error.problem(), "left over: extra"), error.what());
      QVERIFY2(contains(error.problem(), "weight ([4, 3] Float, not [5, 3] Float)"), error.what());
    }
    QVERIFY(torch::equal(to->weight, before));
  }

  void mapsNames() {
    torch::nn::Linear from(3, 4), to(3, 4);
    TensorFile file;
    file.tensors["fc.w"] = from->weight.detach().to(torch::kFloat64);
    file.tensors["fc.b"] = from->bias.detach();
    loadModule(*to, file, "weights", "fc.", {{"weight", "w"}, {"bias", "b"}});
    QVERIFY(torch::equal(to->weight, from->weight));
    QVERIFY(torch::equal(to->bias, from->bias));
    QVERIFY_EXCEPTION_THROWN(
        loadModule(*to, file, "weights", "fc.", {{"weight", "w"}, {"bias", "b"}, {"other", "c"}}),
        Error);
  }

  void requiresNamesAndShapes() {
    TensorFile file;
    file.tensors["a"] = torch::zeros({2, 3});
    QCOMPARE(file.require("a", {2, 3}, "f").numel(), std::int64_t{6});
    QCOMPARE(file.require("a", {-1, 3}, "f").numel(), std::int64_t{6});
    QVERIFY_EXCEPTION_THROWN(file.require("a", {3, 2}, "f"), Error);
    QVERIFY_EXCEPTION_THROWN(file.require("a", {6}, "f"), Error);
    QVERIFY_EXCEPTION_THROWN(file.require("b", {-1}, "f"), Error);
  }
};

QTEST_GUILESS_MAIN(TestSafetensors)
#include "tst_safetensors.moc"
