#include <QUndoStack>
#include <QtTest/QtTest>

#include "ui/bridge/selection_hub.h"

using namespace bulwark;

namespace {

SampleSet make(const QString& dataset, bool out, std::initializer_list<qint64> indices) {
  SampleSet set;
  for (const qint64 index : indices) set.insert({dataset, out}, index);
  return set;
}

}  // namespace

class TestSelectionHub : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void previewsThenCommitsOnce() {
    SelectionHub hub;
    QSignalSpy changed(&hub, &SelectionHub::changed);
    hub.preview(make("glyphs", true, {1}));
    hub.preview(make("glyphs", true, {1, 2}));
    QVERIFY(hub.committed().empty());
    QCOMPARE(hub.current().size(), 2);
    hub.commit(make("glyphs", true, {1, 2, 3}), "bars");
    QCOMPARE(hub.committed().size(), 3);
    QCOMPARE(changed.count(), 3);
    QCOMPARE(hub.undoStack()->count(), 1);
  }

  void undoesAndRedoes() {
    SelectionHub hub;
    const SampleSet first = make("mnist", true, {4});
    const SampleSet second = make("fashion", false, {7, 8});
    hub.commit(first, "a");
    hub.commit(second, "b", SelectionHub::Mode::Add);
    QCOMPARE(hub.statusText(), QStringLiteral("2 in, 1 out selected"));
    hub.undoStack()->undo();
    QVERIFY(hub.current() == first);
    hub.undoStack()->undo();
    QVERIFY(hub.current().empty());
    QVERIFY(hub.statusText().isEmpty());
    hub.undoStack()->redo();
    hub.undoStack()->redo();
    QVERIFY(hub.current().contains({"fashion", false}, 8));
    QVERIFY(!hub.current().contains({"fashion", true}, 8));
  }

  void removesAndClears() {
    SelectionHub hub;
    hub.commit(make("a", false, {1, 2, 3}), "all");
    hub.commit(make("a", false, {2}), "less", SelectionHub::Mode::Remove);
    QCOMPARE(hub.current().size(), 2);
    hub.clear();
    QVERIFY(hub.current().empty());
    hub.undoStack()->undo();
    QCOMPARE(hub.current().size(), 2);
    hub.commit(hub.current(), "same");  // nothing changes, nothing to undo
    QCOMPARE(hub.undoStack()->count(), 3);
  }

  void cancelledPreviewLeavesTheCommittedSet() {
    SelectionHub hub;
    hub.commit(make("a", false, {1}), "one");
    hub.preview(make("a", false, {5, 6}), SelectionHub::Mode::Add);
    QCOMPARE(hub.current().size(), 3);
    hub.cancelPreview();
    QCOMPARE(hub.current().size(), 1);
    hub.reset();
    QVERIFY(hub.current().empty());
    QVERIFY(!hub.undoStack()->canUndo());
  }
};

QTEST_GUILESS_MAIN(TestSelectionHub)
#include "tst_selection_hub.moc"
