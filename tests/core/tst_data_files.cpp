// Readers of IDX, CIFAR and NPY files, and what they say about damaged ones.
#include <cmath>

#include "core/data/image_set.h"
#include "core/data/raw_images.h"
#include "data_files.h"

using namespace bulwark;
using namespace datafiles;

namespace {

torch::Tensor everything(const RawImages& raw) {
  Task task;
  return raw.pixels(torch::arange(raw.count(), torch::kInt64), task);
}

}  // namespace

class TestDataFiles : public QObject {
  Q_OBJECT

  Folder folder_;
  Task task_;

 private Q_SLOTS:
  void readsIdx_data();
  void readsIdx();
  void readsIdxShorts();
  void refusesIdx_data();
  void refusesIdx();
  void noticesEveryFlippedBit();
  void refusesIdxPairs();
  void readsMembers();
  void readsCifar_data();
  void readsCifar();
  void refusesCifar_data();
  void refusesCifar();
  void readsNpy_data();
  void readsNpy();
  void refusesNpy_data();
  void refusesNpy();
  void refusesNpyLabels();
};

void TestDataFiles::readsIdx_data() {
  QTest::addColumn<bool>("compressed");
  QTest::newRow("plain") << false;
  QTest::newRow("gzip") << true;
}

void TestDataFiles::readsIdx() {
  QFETCH(bool, compressed);
  const auto wrap = [&](const std::string& text) { return compressed ? gzip(text) : text; };
  const auto images = folder_.put("images", wrap(idx(8, {5, 3, 4}, ramp(60))));
  const auto labels =
      folder_.put("labels", wrap(idx(8, {5}, std::string("\x03\x01\x04\x01\xff", 5))));
  const RawImages raw = readIdx(images, labels, task_);
  const torch::Tensor pixels = everything(raw);
  QVERIFY(pixels.sizes() == torch::IntArrayRef({5, 1, 3, 4}));
  QCOMPARE(pixels[4][0][2][3].item<int>(), 59);
  QCOMPARE(raw.labels[0].item<int>(), 3);
  QCOMPARE(raw.labels[4].item<int>(), 255);
  const torch::Tensor two = raw.pixels(torch::tensor({1, 3}, torch::kInt64), task_);
  QCOMPARE(two[1][0][0][0].item<int>(), 36);
  QVERIFY(readIdx(images, {}, task_).labels.eq(-1).all().item<bool>());
}

void TestDataFiles::readsIdxShorts() {
  const auto path =
      folder_.put("shorts", idx(0x0B, {3}, std::string("\x02\x92\xff\xfe\x00\x07", 6)));
  const torch::Tensor values = readIdxVector(path, task_);
  QCOMPARE(values[0].item<int>(), 658);
  QCOMPARE(values[1].item<int>(), -2);
  QCOMPARE(values[2].item<int>(), 7);
}

void TestDataFiles::refusesIdx_data() {
  QTest::addColumn<QByteArray>("content");
  QTest::addColumn<QString>("name");
  QTest::addColumn<QString>("message");
  const auto row = [](const char* title, const std::string& content, const char* name,
                      const char* message) {
    QTest::newRow(title) << QByteArray::fromStdString(content) << name << message;
  };
  const std::string good = idx(8, {5, 3, 4}, ramp(60));
  std::string flipped = good;
  flipped[4] = '\x70';  // count 5 -> 1,879,048,197: must not allocate 22 GB
  std::string wrongType = good;
  wrongType[2] = '\x48';
  std::string badSum = gzip(good);
  badSum[badSum.size() - 6] ^= '\x10';
  std::string flippedBody = gzip(good);
  flippedBody[flippedBody.size() / 2] ^= '\x10';
  row("truncated", good.substr(0, 70), "a", "truncated");
  row("header cut", good.substr(0, 9), "a", "truncated");
  row("empty", "", "a", "truncated");
  row("oversized", good + "x", "a", "oversized");
  row("flipped count", flipped, "a", "truncated");
  row("flipped type", wrongType, "a", "not an IDX file");
  row("wrong magic", npy("|u1", "5, 3, 4", ramp(60)), "a", "not an IDX file");
  row("no image", idx(8, {0, 3, 4}, ""), "a", "impossible size");
  row("labels for images", idx(8, {60}, ramp(60)), "a", "expected 8-bit images");
  row("gzip truncated", gzip(good).substr(0, 40), "a.gz", "truncated");
  row("gzip trailer cut", gzip(good).substr(0, gzip(good).size() - 4), "a.gz", "truncated");
  row("gzip of a truncated file", gzip(good.substr(0, 70)), "a.gz", "truncated");
  row("gzip of an oversized file", gzip(good + "x"), "a.gz", "oversized");
  row("gzip followed by rubbish", gzip(good) + "rubbish", "a.gz", "oversized");
  row("gzip flipped count", gzip(flipped), "a.gz", "truncated");
  row("gzip wrong checksum", badSum, "a.gz", "damaged");
  row("gzip flipped body", flippedBody, "a.gz", "");
  row("gz that is none", good, "a.gz", "not gzip");
  row("gzip wrong magic", gzip(wrongType), "a.gz", "not an IDX file");
}

void TestDataFiles::refusesIdx() {
  QFETCH(QByteArray, content);
  QFETCH(QString, name);
  QFETCH(QString, message);
  const auto path = folder_.put(name.toStdString(), content.toStdString());
  const QString said = refusal([&] { readIdx(path, {}, task_); });
  QVERIFY2(said.contains(message) && said.contains(QString::fromStdString(path.string())),
           qPrintable(said));
}

void TestDataFiles::noticesEveryFlippedBit() {
  // Any one bit of the header, and any one bit of a compressed file, whose own header has fields
  // (time, system) that change nothing.
  const std::string good = idx(8, {5, 3, 4}, ramp(60));
  const torch::Tensor expected = everything(readIdx(folder_.put("good", good), {}, task_));
  for (std::size_t bit = 0; bit < 16 * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto path = folder_.put("bad", bad);
    QVERIFY2(!refusal([&] { readIdx(path, {}, task_); }).isEmpty(),
             qPrintable(QString::number(bit)));
  }
  const std::string packed = gzip(good);
  int refused = 0;
  for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
    std::string bad = packed;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto path = folder_.put("bad.gz", bad);
    torch::Tensor pixels;
    const QString said = refusal([&] { pixels = everything(readIdx(path, {}, task_)); });
    refused += !said.isEmpty();
    QVERIFY2(!said.isEmpty() || torch::equal(pixels, expected), qPrintable(QString::number(bit)));
  }
  QVERIFY(refused > static_cast<int>(packed.size() * 8) / 2);
}

void TestDataFiles::refusesIdxPairs() {
  const auto images = folder_.put("images", idx(8, {5, 3, 4}, ramp(60)));
  const auto four = folder_.put("labels", idx(8, {4}, ramp(4)));
  const QString said = refusal([&] { readIdx(images, four, task_); });
  QVERIFY2(said.contains("5 images but 4 labels"), qPrintable(said));
  QVERIFY(refusal([&] { readIdx(images, images, task_); }).contains("list of whole numbers"));
  QVERIFY(refusal([&] { readIdx(folder_.path() / "none", {}, task_); }).contains("no such file"));
}

void TestDataFiles::readsMembers() {
  // RFC 1952: a gzip file may be several members in a row.
  const std::string good = idx(8, {5, 3, 4}, ramp(60));
  const auto path = folder_.put("two.gz", gzip(good.substr(0, 30)) + gzip(good.substr(30)));
  QCOMPARE(readIdx(path, {}, task_).count(), std::int64_t{5});
}

void TestDataFiles::readsCifar_data() {
  QTest::addColumn<int>("labelBytes");
  QTest::addColumn<int>("labelByte");
  QTest::addColumn<bool>("compressed");
  QTest::newRow("CIFAR-10") << 1 << 0 << false;
  QTest::newRow("CIFAR-10 gzip") << 1 << 0 << true;
  QTest::newRow("CIFAR-100 fine") << 2 << 1 << false;
  QTest::newRow("CIFAR-100 coarse") << 2 << 0 << true;
}

void TestDataFiles::readsCifar() {
  QFETCH(int, labelBytes);
  QFETCH(int, labelByte);
  QFETCH(bool, compressed);
  std::vector<std::filesystem::path> files;
  for (int file = 0; file < 2; ++file) {
    std::string records;
    for (int i = 0; i < 3; ++i) {
      for (int k = 0; k < labelBytes; ++k) records += static_cast<char>(i + k);
      records += std::string(1024, static_cast<char>(10 + i)) + std::string(1024, '\x50') +
                 std::string(1023, '\x60') + static_cast<char>(200 + file);
    }
    files.push_back(
        folder_.put("batch" + std::to_string(file), compressed ? gzip(records) : records));
  }
  const RawImages raw = readCifar(files, labelBytes, labelByte, 10, task_);
  const torch::Tensor pixels = everything(raw);
  QVERIFY(pixels.sizes() == torch::IntArrayRef({6, 3, 32, 32}));
  QCOMPARE(raw.labels[5].item<int>(), 2 + labelByte);
  QCOMPARE(pixels[4][0][7][9].item<int>(), 11);
  QCOMPARE(pixels[4][1][31][31].item<int>(), 0x50);
  QCOMPARE(pixels[4][2][31][31].item<int>(), 201);
}

void TestDataFiles::refusesCifar_data() {
  QTest::addColumn<QByteArray>("content");
  QTest::addColumn<QString>("message");
  const std::string good = std::string("\x07") + ramp(3072);
  QTest::newRow("truncated") << QByteArray::fromStdString(good.substr(0, 3000)) << "left over";
  QTest::newRow("oversized") << QByteArray::fromStdString(good + good + "x") << "1 bytes are left";
  QTest::newRow("empty") << QByteArray() << "empty";
  QTest::newRow("label") << QByteArray::fromStdString(good + std::string("\x0c") + ramp(3072))
                         << "record 1 has label 12";
  QTest::newRow("wrong magic") << QByteArray::fromStdString(std::string("\x80\x02}q") + ramp(5000))
                               << "not a CIFAR binary file";
  QTest::newRow("gzip truncated") << QByteArray::fromStdString(gzip(good).substr(0, 200))
                                  << "truncated";
  QTest::newRow("gzip of truncated")
      << QByteArray::fromStdString(gzip(good.substr(0, 99))) << "left over";
  QTest::newRow("gzip flipped label")
      << QByteArray::fromStdString(gzip(std::string("\x87") + ramp(3072))) << "has label 135";
}

void TestDataFiles::refusesCifar() {
  QFETCH(QByteArray, content);
  QFETCH(QString, message);
  const auto path = folder_.put("batch.bin", content.toStdString());
  const QString said = refusal([&] { readCifar({path}, 1, 0, 10, task_); });
  QVERIFY2(said.contains(message) && said.contains("batch.bin"), qPrintable(said));
}

void TestDataFiles::readsNpy_data() {
  QTest::addColumn<QByteArray>("content");
  QTest::addColumn<int>("channels");
  QTest::addColumn<double>("second");  // value at image 1, channel 0, row 1, column 2
  const auto row = [](const char* title, const std::string& content, int channels, double second) {
    QTest::newRow(title) << QByteArray::fromStdString(content) << channels << second;
  };
  row("NHW", npy("|u1", "2, 4, 5", ramp(40)), 1, 27);
  row("NCHW", npy("|u1", "2, 3, 4, 5", ramp(120)), 3, 67);
  row("NHWC", npy("|u1", "2, 4, 5, 3", ramp(120)), 3, 81);
  row("N1HW", npy("|u1", "2, 1, 4, 5", ramp(40)), 1, 27);
  std::vector<float> single(40);
  for (int i = 0; i < 40; ++i) single[static_cast<std::size_t>(i)] = static_cast<float>(i) / 64;
  row("float32", npy("<f4", "2, 4, 5", floats(single)), 1, 27.0 / 64);
  std::vector<double> twice(single.begin(), single.end());
  row("float64", npy("<f8", "2, 4, 5", {reinterpret_cast<const char*>(twice.data()), 320}), 1,
      27.0 / 64);
  row("gzip", gzip(npy("|u1", "2, 4, 5", ramp(40))), 1, 27);
}

void TestDataFiles::readsNpy() {
  QFETCH(QByteArray, content);
  QFETCH(int, channels);
  QFETCH(double, second);
  const auto labels =
      folder_.put("labels.npy", npy("<i4", "2,", std::string("\x05\0\0\0\x02\0\0\0", 8)));
  const RawImages raw = readNpy(folder_.put("images.npy", content.toStdString()), labels, task_);
  const torch::Tensor pixels = everything(raw);
  QVERIFY(pixels.sizes() == torch::IntArrayRef({2, channels, 4, 5}));
  QCOMPARE(pixels[1][0][1][2].item<double>(), second);
  QCOMPARE(raw.labels[0].item<int>(), 5);
}

void TestDataFiles::refusesNpy_data() {
  QTest::addColumn<QByteArray>("content");
  QTest::addColumn<QString>("message");
  const auto row = [](const char* title, const std::string& content, const char* message) {
    QTest::newRow(title) << QByteArray::fromStdString(content) << message;
  };
  const std::string good = npy("|u1", "2, 4, 5", ramp(40));
  std::string flipped = good;
  flipped[good.find("2, 4")] = '9';
  std::string version = good;
  version[6] = '\x41';
  std::string huge = good;
  huge[9] = '\x7f';
  row("truncated", good.substr(0, good.size() - 1), "truncated");
  row("header cut", good.substr(0, 40), "truncated");
  row("oversized", good + "xyz", "oversized");
  row("flipped shape", flipped, "truncated");
  row("flipped version", version, "not an NPY file");
  row("flipped header length", huge, "truncated");
  row("wrong magic", idx(8, {5, 3, 4}, ramp(60)), "not an NPY file");
  row("huge shape", npy("|u1", "99999999999, 99999, 5", ramp(9)), "impossible");
  row("empty array", npy("|u1", "0, 4, 5", ""), "impossible");
  row("fortran order", npy("|u1", "2, 4, 5", ramp(40), "True"), "ascontiguousarray");
  row("structured", npy("x", "2", "").replace(10, 12, "{'descr': [("), "structured");
  row("big-endian", npy(">f4", "2, 4, 5", ramp(160)), "is not read");
  row("signed", npy("|i1", "2, 4, 5", ramp(40)), "save them as uint8");
  row("two channels", npy("|u1", "2, 2, 4, 5", ramp(80)), "not a stack of images");
  row("NaN", npy("<f4", "1, 1, 2", floats({0.5F, NAN})), "NaN or infinite");
  row("infinite", npy("<f4", "1, 1, 2", floats({0.5F, -INFINITY})), "NaN or infinite");
  row("0 to 255", npy("<f4", "1, 1, 2", floats({0.F, 255.F})), "divide by 255");
  row("normalised", npy("<f4", "1, 1, 2", floats({-2.1F, 2.1F})), "undo the normalisation");
  row("gzip truncated", gzip(good).substr(0, 60), "truncated");
  row("gzip oversized", gzip(good + "x"), "oversized");
}

void TestDataFiles::refusesNpy() {
  QFETCH(QByteArray, content);
  QFETCH(QString, message);
  const auto path = folder_.put("images.npy", content.toStdString());
  const QString said = refusal([&] { readNpy(path, {}, task_); });
  QVERIFY2(said.contains(message) && said.contains("images.npy"), qPrintable(said));
}

void TestDataFiles::refusesNpyLabels() {
  const auto images = folder_.put("images.npy", npy("|u1", "2, 4, 5", ramp(40)));
  const auto three = folder_.put("three.npy", npy("|u1", "3,", ramp(3)));
  QVERIFY(refusal([&] { readNpy(images, three, task_); }).contains("2 images but 3 labels"));
  const auto real = folder_.put("real.npy", npy("<f4", "2,", floats({0, 1})));
  QVERIFY(refusal([&] { readNpy(images, real, task_); }).contains("whole number"));
}

QTEST_GUILESS_MAIN(TestDataFiles)
#include "tst_data_files.moc"
