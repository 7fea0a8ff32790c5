#include <zlib.h>

#include <QTemporaryDir>
#include <QXmlStreamReader>
#include <QtTest/QtTest>
#include <cstring>
#include <map>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/report/curve_format.h"
#include "core/report/curves.h"
#include "core/report/deflate.h"
#include "core/report/html_report.h"
#include "core/report/image_strip.h"
#include "core/report/npy.h"
#include "core/report/pdf_plot.h"
#include "core/report/png.h"
#include "core/report/results_page.h"
#include "core/report/scores.h"
#include "core/report/svg_plot.h"
#include "core/report/zip.h"
#include "report_sample.h"

using namespace bulwark;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::uint32_t little(const std::string& bytes, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int k = count - 1; k >= 0; --k) {
    value = value << 8U | static_cast<std::uint8_t>(bytes[at + static_cast<std::size_t>(k)]);
  }
  return value;
}

std::uint32_t big(const std::string& bytes, std::size_t at) {
  return qFromBigEndian<quint32>(bytes.data() + at);
}

std::string inflated(const std::string& packed, std::size_t size, int windowBits) {
  std::string result(size + 1, '\0');
  z_stream stream{};
  inflateInit2(&stream, windowBits);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int state = inflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  inflateEnd(&stream);
  return state == Z_STREAM_END ? result : std::string("does not inflate");
}

/// Pixels of a PNG, read chunk by chunk with every checksum verified.
struct DecodedPng {
  bool valid = false;
  std::uint32_t width = 0, height = 0;
  int colourType = -1;
  std::string rows;  // with the filter bytes
};

DecodedPng decodePng(const std::string& file) {
  DecodedPng png;
  if (file.substr(0, 8) != "\x89PNG\r\n\x1a\n") return png;
  std::size_t at = 8;
  std::string packed;
  std::string last;
  while (at + 12 <= file.size()) {
    const std::uint32_t length = big(file, at);
    const std::string type = file.substr(at + 4, 4);
    const std::string data = file.substr(at + 8, length);
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(file.data() + at + 4), length + 4);
    if (crc != big(file, at + 8 + length)) return png;
    if (type == "IHDR") {
      png.width = big(data, 0);
      png.height = big(data, 4);
      png.colourType = data[9];
      if (data[8] != 8 || data[12] != 0) return png;
    }
    if (type == "IDAT") packed += data;
    last = type;
    at += 12 + length;
  }
  const std::size_t channels = png.colourType == 2 ? 3 : 1;
  const std::size_t expected = png.height * (1 + png.width * channels);
  png.rows = inflated(packed, expected, 15);
  png.valid = last == "IEND" && at == file.size() && png.rows.size() == expected;
  return png;
}

/// Members of a ZIP, read through the central directory with every checksum verified.
std::map<std::string, std::string> unzip(const std::string& file) {
  std::map<std::string, std::string> members;
  const std::size_t end = file.size() - 22;
  if (little(file, end, 4) != 0x06054b50U) return {};
  const std::uint32_t count = little(file, end + 10, 2);
  std::size_t at = little(file, end + 16, 4);
  if (at + little(file, end + 12, 4) != end) return {};
  for (std::uint32_t k = 0; k < count; ++k) {
    if (little(file, at, 4) != 0x02014b50U) return {};
    const std::uint32_t method = little(file, at + 10, 2);
    const std::uint32_t packedSize = little(file, at + 20, 4);
    const std::uint32_t size = little(file, at + 24, 4);
    const std::uint32_t nameLength = little(file, at + 28, 2);
    const std::uint32_t local = little(file, at + 42, 4);
    const std::string name = file.substr(at + 46, nameLength);
    if (little(file, local, 4) != 0x04034b50U || file.substr(local + 30, nameLength) != name) {
      return {};
    }
    const std::string packed = file.substr(local + 30 + nameLength, packedSize);
    const std::string content = method == 8 ? inflated(packed, size, -15) : packed;
    const auto crc =
        crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
    if (content.size() != size || crc != little(file, at + 16, 4)) return {};
    members[name] = content;
    at += 46 + nameLength;
  }
  return members;
}

/// Values of a float64 NPY of one dimension.
std::vector<double> readNpy(const std::string& file) {
  if (file.substr(0, 8) != std::string("\x93NUMPY\x01\x00", 8)) return {};
  const std::uint32_t length = little(file, 8, 2);
  if ((10 + length) % 64 != 0 || file[9 + length] != '\n') return {};
  const std::string header = file.substr(10, length);
  const std::size_t count = (file.size() - 10 - length) / 8;
  if (!contains(header, "'descr': '<f8'") || !contains(header, "'fortran_order': False") ||
      !contains(header, "'shape': (" + std::to_string(count) + ",)")) {
    return {};
  }
  std::vector<double> values(count);
  std::memcpy(values.data(), file.data() + 10 + length, count * 8);
  return values;
}

bool wellFormed(const std::string& xml) {
  QXmlStreamReader reader(QByteArray::fromStdString(xml));
  while (!reader.atEnd()) reader.readNext();
  if (reader.hasError()) qWarning() << reader.errorString() << reader.lineNumber();
  return !reader.hasError();
}

}  // namespace

class TestReportFiles : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void pngHoldsThePixels() {
    const Raster rgb{2, 2, 3, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
    const DecodedPng png = decodePng(encodePng(rgb));
    QVERIFY(png.valid);
    QCOMPARE(png.width, 2U);
    QCOMPARE(png.height, 2U);
    QCOMPARE(png.colourType, 2);
    QVERIFY(png.rows == std::string("\0\1\2\3\4\5\6\0\7\x8\x9\xA\xB\xC", 14));
    const DecodedPng grey = decodePng(encodePng({3, 1, 1, {0, 128, 255}}));
    QVERIFY(grey.valid);
    QCOMPARE(grey.colourType, 0);
    QVERIFY(pngDataUri(rgb).starts_with("data:image/png;base64,iVBORw0KGgo"));
    QVERIFY_THROWS_EXCEPTION(Error, encodePng({2, 2, 3, {1, 2, 3}}));
    QVERIFY_THROWS_EXCEPTION(Error, encodePng({0, 0, 1, {}}));
  }

  void rastersRoundAndClamp() {
    const Raster raster = toRaster({-1.0F, 0.5F, 2.0F, std::nanf("")}, 1, 2, 2);
    QVERIFY(raster.pixels == (std::vector<std::uint8_t>{0, 128, 255, 0}));
    // Planes become interleaved pixels.
    const Raster colour = toRaster({1, 0, 0, 1, 0, 0}, 3, 1, 2);
    QVERIFY(colour.pixels == (std::vector<std::uint8_t>{255, 0, 0, 0, 255, 0}));
    QVERIFY_THROWS_EXCEPTION(Error, toRaster({1, 2}, 2, 1, 1));
    QVERIFY_THROWS_EXCEPTION(Error, toRaster({1, 2, 3}, 1, 2, 2));
  }

  void differencesAreMagnified() {
    ImagePair pair = sample::run().pairs[0];
    const Difference difference = differenceOf(pair);
    QVERIFY(std::abs(difference.largest - 0.1) < 1e-6);
    QVERIFY(std::abs(difference.factor - 5.0) < 1e-4);
    QCOMPARE(int(difference.raster.pixels[0]), 255);  // + 0.1, the largest
    QCOMPARE(int(difference.raster.pixels[1]), 128);  // unchanged
    QCOMPARE(int(difference.raster.pixels[5]), 64);   // - 0.05
    pair.after = pair.before;
    QCOMPARE(differenceOf(pair).factor, 1.0);
    pair.after.pop_back();
    QVERIFY_THROWS_EXCEPTION(Error, differenceOf(pair));
  }

  void stripShowsThreeImagesPerPair() {
    RunReport report = sample::run();
    report.pairs.push_back(report.pairs[0]);
    const Raster strip = imageStrip({report}, 2);
    QCOMPARE(strip.width, 3 * 6 + 4 * 4);
    QCOMPARE(strip.height, 2 * (4 + 4) + 4);
    const auto grey = [&](int x, int y) {
      return int(strip.pixels[static_cast<std::size_t>((y * strip.width + x) * 3)]);
    };
    QCOMPARE(grey(0, 0), 255);   // paper
    QCOMPARE(grey(4, 4), 0);     // before, first pixel
    QCOMPARE(grey(5, 5), 0);     // enlarged twice
    QCOMPARE(grey(14, 4), 26);   // after, first pixel: 0.1
    QCOMPARE(grey(24, 4), 255);  // difference, first pixel
    QVERIFY(decodePng(encodePng(strip)).valid);
    // Many pairs stand in columns: about as wide as high, each in its place.
    RunReport many = sample::run();
    many.pairs.resize(1);
    while (many.pairs.size() < 144) many.pairs.push_back(many.pairs[0]);
    const Raster page = imageStrip({many}, 2);
    QVERIFY(page.width < 1.5 * page.height && page.height < 1.5 * page.width);
    const int second = 4 + (3 * 6 + 4 * 4) + 8;  // the second triple of the first row
    QCOMPARE(int(page.pixels[static_cast<std::size_t>((4 * page.width + second) * 3)]), 0);
    QVERIFY_THROWS_EXCEPTION(Error, imageStrip({RunReport{}}));
    const auto members = unzip(writePairsNpz({report}));
    QCOMPARE(members.size(), 5U);
    QVERIFY(contains(members.at("pair0.before.npy"), "'shape': (1, 2, 3)"));
    QCOMPARE(Json::parse(members.at("index.json")).size(), 2U);
  }

  void zipMembersComeBack() {
    ZipWriter zip;
    const std::string repetitive(100000, 'a');
    zip.add("a.txt", "short");
    zip.add("folder/b", repetitive);
    zip.add("empty", "");
    const std::string file = zip.finish();
    QVERIFY(file.size() < 2000);
    const auto members = unzip(file);
    QCOMPARE(members.size(), 3U);
    QCOMPARE(members.at("a.txt"), std::string("short"));
    QVERIFY(members.at("folder/b") == repetitive);
    QVERIFY(members.at("empty").empty());
    QVERIFY(unzip(ZipWriter().finish()).empty());
  }

  void npyHeaders() {
    const std::vector<double> values = {1.5, -2.0, 3.25};
    QVERIFY(readNpy(writeNpy(std::span<const double>(values), {3})) == values);
    const std::vector<float> pixels(6, 0.5F);
    const std::string image = writeNpy(std::span<const float>(pixels), {1, 2, 3});
    QVERIFY(contains(image, "'descr': '<f4'") && contains(image, "'shape': (1, 2, 3)"));
    QCOMPARE(image.size() % 64, 24U);
    const std::vector<std::uint8_t> flags = {0, 1};
    QVERIFY(contains(writeNpy(std::span<const std::uint8_t>(flags), {2}), "'descr': '|u1'"));
    QVERIFY_THROWS_EXCEPTION(Error, writeNpy(std::span<const double>(values), {4}));
  }

  void scoresComeBack() {
    const RunReport report = sample::run();
    const auto members = unzip(writeScoresNpz({report}));
    const Json index = Json::parse(members.at("index.json"));
    QCOMPARE(index.size(), report.scores.size());
    for (const ScoreSet& set : report.scores) {
      int found = 0;
      for (const auto& [name, entry] : index.items()) {
        const bool clean = entry["attack"].is_null();
        if (entry["detector"] != set.detector || entry["dataset"] != set.dataset ||
            clean != set.attack.empty() || (entry["role"] == "out") != set.out) {
          continue;
        }
        ++found;
        QVERIFY(readNpy(members.at(name + ".npy")) == set.scores);
        QCOMPARE(members.contains(name + ".saturated.npy"), !clean);
        if (!clean) QVERIFY(readNpy(members.at(name + ".trajectory.npy")) == set.trajectory);
      }
      QCOMPARE(found, 1);
    }
    for (const auto& [name, content] : members) {
      for (const char c : name)
        QVERIFY(std::isalnum(static_cast<unsigned char>(c)) ||
                std::string("-_+=.").find(c) != std::string::npos);
    }
    // Labels that become equal are kept apart.
    RunReport twins;
    twins.scores = {sample::scores("a b", "", "x", false, 0.0),
                    sample::scores("a?b", "", "x", false, 1.0)};
    QCOMPARE(unzip(writeScoresNpz({twins})).size(), 3U);
    QVERIFY_THROWS_EXCEPTION(Error, writeScoresNpz({RunReport{}}));
    const std::string csv = writeScoresCsv({report});
    QCOMPARE(QString::fromStdString(csv).count('\n'), qsizetype(1 + 50 * report.scores.size()));
  }

  /// Where Python has NumPy, it reads what we write.
  void numpyReadsTheArchive() {
    const QString python = QStandardPaths::findExecutable("python3");
    QProcess probe;
    if (!python.isEmpty()) probe.start(python, {"-c", "import numpy"});
    if (python.isEmpty() || !probe.waitForFinished() || probe.exitCode() != 0) {
      QSKIP("Python with NumPy is not installed; the structure is checked by scoresComeBack");
    }
    QTemporaryDir folder;
    const QString path = folder.filePath("scores.npz");
    const RunReport report = sample::run();
    writeFileAtomically(path.toStdString(), writeScoresNpz({report}));
    QProcess reader;
    reader.start(python, {"-c",
                          "import numpy,sys\n"
                          "z=numpy.load(sys.argv[1])\n"
                          "a=z['msp.clean.mnist.out']\n"
                          "print(a.dtype, a.shape, repr(float(a[7])))",
                          path});
    QVERIFY(reader.waitForFinished());
    const QStringList words = QString(reader.readAllStandardOutput()).trimmed().split(' ');
    QVERIFY2(words.size() == 3, reader.readAllStandardError().constData());
    QCOMPARE(words[0], QString("float64"));
    QCOMPARE(words[1], QString("(50,)"));
    const ScoreSet expected = sample::scores("msp", "", "mnist", true, 1.3);
    QCOMPARE(words[2].toDouble(), expected.scores[7]);
  }

  void curvesAsNumbers() {
    const RunReport report = sample::run();
    const std::string csv = writeCurves({report}, "roc", CurveFormat::Csv);
    std::size_t points = 0;
    for (const CurveRecord& curve : report.curves)
      points += curve.kind == "roc" ? curve.x.size() : 0;
    QCOMPARE(std::size_t(QString::fromStdString(csv).count('\n')), points + 1);
    QVERIFY(csv.starts_with("run,run_name,detector,attack,setting,out,fpr,tpr\n"));
    const Json json = Json::parse(writeCurves({report}, "pr", CurveFormat::Json));
    QCOMPARE(json.size(), 16U);
    QVERIFY(json[0].contains("precision"));
    QVERIFY_THROWS_EXCEPTION(Error, writeCurves({report}, "rok", CurveFormat::Csv));
    QVERIFY_THROWS_EXCEPTION(Error, writeCurves({RunReport{}}, "roc", CurveFormat::Svg));
  }

  /// The forms of a figure's numbers: one writer is called, the one of the format.
  void oneWriterPerFormat() {
    std::string called;
    const CurveWriters writers = {[&] { return called += "c"; }, [&] { return called += "j"; },
                                  [&] {
                                    called += "f";
                                    return curveFigures({sample::run()}, "roc");
                                  }};
    QCOMPARE(writeAs(CurveFormat::Csv, writers), std::string("c"));
    QCOMPARE(writeAs(CurveFormat::Json, writers), std::string("cj"));
    QVERIFY(contains(writeAs(CurveFormat::Svg, writers), "<svg"));
    QVERIFY(writeAs(CurveFormat::Pdf, writers).starts_with("%PDF"));
    QCOMPARE(called, std::string("cjff"));
  }

  void svgIsWellFormed() {
    const std::vector<Figure> figures = curveFigures({sample::run()}, "roc");
    QCOMPARE(figures.size(), 2U);            // out sets
    QCOMPARE(figures[0].series.size(), 4U);  // two detectors, clean and in_out
    const std::string svg = writeSvg(figures);
    QVERIFY(wellFormed(svg));
    QVERIFY(contains(svg, "50% &lt;glyphs&gt; &amp; &quot;x&quot;"));
    QVERIFY(contains(svg, "stroke-dasharray"));
    QVERIFY(contains(svg, "msp, clean"));
    for (const Figure& figure : histogramFigures(sample::run())) {
      QVERIFY(wellFormed(figureSvg(figure)));
    }
    QVERIFY_THROWS_EXCEPTION(Error, writeSvg({}));
    Figure bad;
    bad.series = {{"x", {1.0}, {std::nan("")}, 0, false}};
    QVERIFY_THROWS_EXCEPTION(Error, figureSvg(bad));
    QVERIFY_THROWS_EXCEPTION(Error, figureSvg(Figure{}));
  }

  void straightPiecesMerge() {
    Figure figure;
    figure.unitSquare = true;
    FigureSeries series;
    for (int k = 0; k <= 1000; ++k) {
      series.x.push_back(0.0);
      series.y.push_back(k / 1000.0);
    }
    series.x.push_back(1.0);
    series.y.push_back(1.0);
    figure.series = {series};
    const std::string svg = figureSvg(figure);
    const QRegularExpression line("points=\"([^\"]*)\" fill=\"none\" stroke=\"#0072b2\"");
    const auto match = line.match(QString::fromStdString(svg));
    QVERIFY(match.hasMatch());
    QCOMPARE(match.captured(1).split(' ').size(), 3);  // the corner is kept, nothing else
  }

  void ticksAreRound() {
    const std::vector<double> unit = axisTicks(0.0, 1.0, 5);
    QCOMPARE(unit.size(), 6U);
    for (std::size_t k = 0; k < unit.size(); ++k) {
      QVERIFY(std::abs(unit[k] - 0.2 * static_cast<double>(k)) < 1e-12);
    }
    QCOMPARE(axisTicks(-3.2, 41.0, 5), (std::vector<double>{0, 10, 20, 30, 40}));
  }

  void histogramsSumToOne() {
    const std::vector<Figure> figures = histogramFigures(sample::run(), 20);
    QCOMPARE(figures.size(), 4U);
    for (const Figure& figure : figures) {
      QCOMPARE(figure.series.size(), 4U);
      for (const FigureSeries& series : figure.series) {
        double sum = 0.0;
        for (std::size_t k = 1; k + 1 < series.y.size(); k += 2) sum += series.y[k];
        QVERIFY(std::abs(sum - 1.0) < 1e-12);
      }
    }
  }

  void pdfStructure() {
    const std::string pdf = writePdf(curveFigures({sample::run()}, "roc"));
    QVERIFY(pdf.starts_with("%PDF-1.4\n"));
    QVERIFY(pdf.ends_with("%%EOF\n"));
    QVERIFY(contains(pdf, "/Count 2"));
    // The cross-reference table points at the objects.
    const std::size_t start = std::stoul(pdf.substr(pdf.rfind("startxref") + 10));
    QVERIFY(pdf.compare(start, 5, "xref\n") == 0);
    const std::size_t count = std::stoul(pdf.substr(start + 7));
    QCOMPARE(count, 9U);
    const std::size_t first = pdf.find('\n', start + 5) + 1;
    for (std::size_t k = 1; k < count; ++k) {
      const std::size_t offset = std::stoul(pdf.substr(first + 20 * k, 10));
      QVERIFY(pdf.compare(offset, 8, std::to_string(k) + " 0 obj\n") == 0);
    }
    // The page holds the title, as escaped Latin-1, and drawn lines.
    const std::size_t stream = pdf.find("stream\n") + 7;
    const std::string packed = pdf.substr(stream, pdf.find("\nendstream", stream) - stream);
    const std::string page = inflated(packed, 1 << 20, 15);
    QVERIFY(contains(page, "(ROC against: 50% <glyphs> & \"x\") Tj"));
    QVERIFY(contains(page, "pgd \\(eps=8/255\\)"));
    QVERIFY(contains(page, " l\n") && contains(page, "[5 3] 0 d"));
    QVERIFY_THROWS_EXCEPTION(Error, writePdf({}));
  }

  void htmlReportIsSelfContained() {
    const std::string html = writeHtmlReport({sample::run()});
    for (const char* part :
         {"consistent: 4 of 4 rows", "no saturated scores", "<svg", "data:image/png;base64,",
          "first &lt;try&gt;", "&quot;relative_mahalanobis&quot;", "1.13.1", "0123456789ab",
          "91.23 %", "13 s", "1 min 15 s", "Training loss", "Precision-recall curves",
          "FPR95 (in positive)", "magnified 5.0 times", "(published 0.912, Lee_2018"}) {
      QVERIFY2(contains(html, part), part);
    }
    QVERIFY(!contains(html, "<glyphs>") && !contains(html, "<try>"));
    QVERIFY(!contains(html, "<script") && !contains(html, "<link"));
    // Nothing is fetched: addresses appear only as the name of the SVG language.
    QCOMPARE(QString::fromStdString(html).remove("http://www.w3.org/2000/svg").count("http"), 0);
    // Every image in the page decodes.
    const QRegularExpression source("src=\"data:image/png;base64,([^\"]*)\"");
    auto images = source.globalMatch(QString::fromStdString(html));
    int count = 0;
    while (images.hasNext()) {
      const QByteArray bytes = QByteArray::fromBase64(images.next().captured(1).toLatin1());
      QVERIFY(decodePng(bytes.toStdString()).valid);
      ++count;
    }
    QCOMPARE(count, 3);
    RunReport bare;  // failed before anything was computed
    bare.run.error = "out of memory";
    QVERIFY(contains(writeHtmlReport({bare}), "out of memory"));
    QVERIFY_THROWS_EXCEPTION(Error, writeHtmlReport({}));
    RunReport wrong = sample::run();
    wrong.results[1].auroc = 1.0;
    QVERIFY(contains(writeHtmlReport({wrong}), "health bad"));
    RunReport checked = sample::run();
    for (const char* verdict : {"amber", "red"}) {
      checked.run.summary["health_checks"] = Json::array({{{"id", "H15"}, {"verdict", verdict}}});
      QCOMPARE(contains(writeHtmlReport({checked}), "health bad"), verdict == std::string("red"));
    }
  }

  void resultsPages() {
    ResultsPageOptions options;
    options.title = "Demo";
    options.notes = {"A note."};
    const std::string page = resultsPage({sample::run()}, options);
    for (const char* part :
         {"# Demo\n", "### Against mnist", "| Detector | Clean | In | Out | In & Out |",
          "consistent: 4 of 4 rows", "| Seed | 42 |", "| evaluate | 1 min 15 s |",
          "| threads | 2 |", "lenet5", "pgd (eps=8/255): pgd (eps 8/255, steps 10)",
          "| classifier accuracy clean |", "91.23 %", "A note.", "(published 0.912",
          "## Consistency", "no saturated scores"}) {
      QVERIFY2(contains(page, part), part);
    }
    QVERIFY(!contains(page, "<glyphs>"));
    QVERIFY(page.ends_with("\n") && !page.ends_with("\n\n"));
    QVERIFY(contains(resultsPage({sample::run(7), sample::run(8)}), "(run 8)"));
    QVERIFY_THROWS_EXCEPTION(Error, resultsPage({}));
  }
};

QTEST_GUILESS_MAIN(TestReportFiles)
#include "tst_report_files.moc"
