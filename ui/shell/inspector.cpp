#include "ui/shell/inspector.h"

#include <QEvent>
#include <QGridLayout>
#include <QLabel>
#include <QLocale>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedWidget>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "core/base/text.h"
#include "ui/bridge/database_service.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/bridge/navigator.h"
#include "ui/bridge/run_focus.h"
#include "ui/models/health_model.h"
#include "ui/models/job_table_model.h"
#include "ui/widgets/experiment_sets.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

void clearGrid(QGridLayout* grid) {
  while (QLayoutItem* item = grid->takeAt(0)) {
    delete item->widget();
    delete item;
  }
}

/// Labels such as "svdd (normalisation=transductive)" may be broken within their options: a line
/// that is wider than the dock pushes what stands beside it out of sight.
QString breakable(QString text) {
  return text.replace(QLatin1Char('='), QStringLiteral("=\u200b"));
}

void addFact(QGridLayout* grid, const QString& name, const QString& value) {
  if (value.isEmpty()) return;
  const int row = grid->count() / 2;  // rowCount() never shrinks
  grid->addWidget(roleLabel(name, "muted"), row, 0, Qt::AlignTop);
  auto* label = new QLabel(breakable(value));
  label->setWordWrap(true);
  label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  grid->addWidget(label, row, 1);
}

QString typeOf(const Json& component) {
  const Json type = component.is_object() ? component.value("type", Json()) : component;
  return type.is_string() ? QString::fromStdString(type.get<std::string>()) : QString();
}

QString typesOf(const Json& list) {
  QStringList names;
  if (list.is_array()) {
    for (const Json& entry : list) {
      const bool labelled = entry.is_object() && entry.contains("label");
      names << (labelled ? typeOf(entry.at("label")) : typeOf(entry));
    }
  }
  return names.join(QStringLiteral(", "));
}

Json at(const Json& json, const char* pointer) {
  const Json::json_pointer where(pointer);
  return json.is_object() && json.contains(where) ? json.at(where) : Json();
}

}  // namespace

Inspector::Inspector(const AppContext& context, QWidget* parent)
    : QDockWidget(tr("Inspector"), parent), context_(context), stack_(new QStackedWidget) {
  setObjectName(QStringLiteral("inspectorDock"));
  auto* empty =
      roleLabel(tr("Select a run to see its set-up, its state and its figures here."), "muted");
  empty->setWordWrap(true);
  empty->setAlignment(Qt::AlignCenter);
  empty->setMargin(16);
  stack_->addWidget(empty);

  auto* area = new QScrollArea;
  area->setWidgetResizable(true);
  area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  auto* body = new QWidget;
  auto* layout = new QVBoxLayout(body);
  layout->setContentsMargins(12, 12, 12, 12);
  layout->setSpacing(8);
  title_ = roleLabel({}, "heading");
  title_->setObjectName(QStringLiteral("inspectorTitle"));
  title_->setWordWrap(true);
  layout->addWidget(title_);
  state_ = roleLabel({}, "badge");
  state_->setObjectName(QStringLiteral("inspectorState"));
  layout->addWidget(state_, 0, Qt::AlignLeft);
  error_ = roleLabel({}, "error");
  error_->setWordWrap(true);
  error_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  layout->addWidget(error_);
  const auto section = [&](const QString& text) {
    layout->addSpacing(8);
    layout->addWidget(roleLabel(text, "heading"));
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(4);
    grid->setColumnStretch(1, 1);
    layout->addLayout(grid);
    return grid;
  };
  facts_ = section(tr("Set-up"));
  auto* use = new QPushButton(tr("Use this configuration"));
  use->setObjectName(QStringLiteral("useConfiguration"));
  use->setToolTip(tr("Copies the whole specification of this run to the Train and Attack pages"));
  layout->addWidget(use);
  metrics_ = section(tr("AUROC"));
  layout->addSpacing(8);
  layout->addWidget(roleLabel(tr("Note"), "heading"));
  note_ = new QPlainTextEdit;
  note_->setObjectName(QStringLiteral("runNote"));
  note_->setAccessibleName(tr("Note on this run"));
  note_->setPlaceholderText(tr("What you want to remember about this run"));
  note_->setFixedHeight(80);
  note_->setTabChangesFocus(true);
  layout->addWidget(note_);
  layout->addStretch(1);
  area->setWidget(body);
  stack_->addWidget(area);
  stack_->setMinimumWidth(236);  // nothing in it is cut off
  setWidget(stack_);

  auto* noteTimer = new QTimer(this);
  noteTimer->setSingleShot(true);
  noteTimer->setInterval(600);
  connect(note_, &QPlainTextEdit::textChanged, noteTimer, qOverload<>(&QTimer::start));
  connect(noteTimer, &QTimer::timeout, this, &Inspector::saveNote);
  connect(use, &QPushButton::clicked, this, [this] {
    context_.draft->load(specification_);
    context_.navigator->showPage(PageId::Train);
  });
  connect(context_.focus, &RunFocus::runChanged, this, [this] {
    saveNote();
    refresh();
  });
  // A note goes to the database of its run: what is typed is stored before another is opened, and
  // nothing is typed until that has an end.
  connect(context_.database, &DatabaseService::aboutToOpen, this, [this] {
    saveNote();
    note_->setReadOnly(true);
  });
  connect(context_.database, &DatabaseService::opened, note_,
          [this] { note_->setReadOnly(false); });
  connect(context_.database, &DatabaseService::openFailed, note_,
          [this] { note_->setReadOnly(false); });
  connect(context_.focus, &RunFocus::contentChanged, this, &Inspector::refresh);
  refresh();
}

Inspector::~Inspector() {
  saveNote();
}

void Inspector::refresh() {
  const qint64 run = context_.focus->run();
  if (run == 0) {
    shown_ = 0;
    stack_->setCurrentIndex(0);
    return;
  }
  if (asking_) {
    again_ = true;
    return;
  }
  asking_ = true;
  context_.database->run(
      this,
      [run](RunStore& store) {
        Content content;
        if (const auto found = store.findRun(run)) {
          content.run = *found;
          content.results = store.results(run);
        }
        return content;
      },
      [this, run](const Content& content) {
        asking_ = false;
        if (run == context_.focus->run()) show(content);
        if (std::exchange(again_, false)) refresh();
      },
      [this](const Error&) {
        asking_ = false;
        if (std::exchange(again_, false)) refresh();
      });
}

void Inspector::show(const Content& content) {
  const RunRecord& run = content.run;
  if (run.id == 0) {  // deleted meanwhile
    context_.focus->setRun(0);
    return;
  }
  stack_->setCurrentIndex(1);
  title_->setText(QString::fromStdString(run.name));
  state_->setText(stateTitle(run.state));
  error_->setText(QString::fromStdString(run.error));
  error_->setVisible(!run.error.empty());

  // A running job changes the database several times a second; labels are made anew only when
  // what they say has changed, so that a selected text stays selected.
  std::string signature = run.uuid + run.device + run.started + run.finished;
  for (const auto& result : content.results) signature += formatNumber(result.auroc) + ' ';
  const auto health = readHealth(run.summary);
  for (const HealthEntry& entry : health) {
    if (entry.verdict == HealthVerdict::Red) signature += entry.name().toStdString() + ' ';
  }
  showNote(run);
  if (signature == signature_ && run.specification == specification_) return;
  signature_ = signature;
  specification_ = run.specification;

  clearGrid(facts_);
  const Json& spec = run.specification;
  addFact(facts_, tr("Run"), QString::number(run.id));
  addFact(facts_, tr("Device"), QString::fromStdString(run.device));
  addFact(facts_, tr("Seed"), QString::number(run.seed));
  addFact(facts_, tr("In set"), ExperimentSets::displayName(at(spec, "/data/in")));
  QStringList outs;
  for (const Json& out : at(spec, "/data/out")) {
    const QString name = ExperimentSets::displayName(out);
    // An optional set that was not installed took no part.
    const bool used =
        std::any_of(content.results.begin(), content.results.end(),
                    [&](const ResultRow& row) { return QString::fromStdString(row.out) == name; });
    const bool optional = out.is_object() && out.value("optional", false);
    outs << (optional && !used && !content.results.empty() ? tr("%1 (left out)").arg(name) : name);
  }
  addFact(facts_, tr("Out sets"), outs.join(QStringLiteral(", ")));
  addFact(facts_, tr("Open set"), ExperimentSets::displayName(at(spec, "/data/open")));
  addFact(facts_, tr("Protocol"), typeOf(at(spec, "/data/protocol")));
  addFact(facts_, tr("Network"), typeOf(at(spec, "/classifier/network")));
  addFact(facts_, tr("Recipe"), typeOf(at(spec, "/classifier/recipe")));
  addFact(facts_, tr("Detectors"), typesOf(at(spec, "/detectors")));
  addFact(facts_, tr("Attacks"), typesOf(at(spec, "/attacks")));
  addFact(facts_, tr("Started"), localTime(run.started));
  addFact(facts_, tr("Finished"), localTime(run.finished));

  clearGrid(metrics_);
  if (content.results.empty()) {
    metrics_->addWidget(roleLabel(tr("No results yet."), "muted"), 0, 0);
  } else {
    // One line per detector: the mean over out sets, clean and under the strongest adversary.
    struct Mean {
      double sum = 0;
      int count = 0;
      QString text() const { return count ? QLocale().toString(sum / count, 'f', 3) : tr("-"); }
    };
    std::vector<std::pair<std::string, std::pair<Mean, Mean>>> rows;
    for (const auto& result : content.results) {
      const bool clean = result.setting == "clean";
      if (!clean && result.setting != "in_out") continue;
      auto found = std::find_if(rows.begin(), rows.end(),
                                [&](const auto& row) { return row.first == result.detector; });
      if (found == rows.end()) {
        rows.push_back({result.detector, {}});
        found = rows.end() - 1;
      }
      Mean& mean = clean ? found->second.first : found->second.second;
      mean.sum += result.auroc;
      ++mean.count;
    }
    metrics_->addWidget(roleLabel(tr("mean of out sets"), "muted"), 0, 0);
    metrics_->addWidget(roleLabel(tr("clean"), "muted"), 0, 1, Qt::AlignRight);
    const bool attacked = std::any_of(rows.begin(), rows.end(),
                                      [](const auto& row) { return row.second.second.count > 0; });
    if (attacked) {
      metrics_->addWidget(roleLabel(QStringLiteral("in_out"), "muted"), 0, 2, Qt::AlignRight);
    }
    QStringList attacks;
    for (const auto& result : content.results) {
      if (!result.attack.empty()) attacks += QString::fromStdString(result.attack);
    }
    int line = 1;
    for (const auto& [name, means] : rows) {
      auto* detector = new QLabel(QString::fromStdString(name));
      // The mark of exported tables: a figure that is not to be quoted.
      if (const auto red = redChecks(health, detector->text(), attacks); !red.isEmpty()) {
        detector->setToolTip(tr("%1 Red health check: %2. Do not quote the figures of this "
                                "detector.")
                                 .arg(QChar(kRedMark))
                                 .arg(red.join(QStringLiteral(", "))));
        detector->setText(detector->text() + QChar(kRedMark));
      }
      detector->setText(breakable(detector->text()));
      detector->setWordWrap(true);
      metrics_->addWidget(detector, line, 0);
      metrics_->addWidget(new QLabel(means.first.text()), line, 1, Qt::AlignRight);
      if (attacked) {
        metrics_->addWidget(new QLabel(means.second.text()), line, 2, Qt::AlignRight);
      }
      ++line;
    }
  }
}

void Inspector::showNote(const RunRecord& run) {
  // What is being typed, or has not been stored yet, stays.
  const bool same = shown_ == run.id && notesIn_ == context_.database->path();
  if (same && (note_->hasFocus() || note_->toPlainText() != savedNote_)) return;
  shown_ = run.id;
  notesIn_ = context_.database->path();
  savedNote_ = QString::fromStdString(run.note);
  if (note_->toPlainText() != savedNote_) note_->setPlainText(savedNote_);
}

void Inspector::saveNote() {
  const QString text = note_->toPlainText();
  if (shown_ == 0 || text == savedNote_ || notesIn_ != context_.database->path()) return;
  savedNote_ = text;
  context_.database->run(
      this,
      [run = shown_, note = text.toStdString()](RunStore& store) { store.setRunNote(run, note); },
      [] {});
}

}  // namespace bulwark
