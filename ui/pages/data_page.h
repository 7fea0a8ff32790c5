#pragma once

#include <QWidget>
#include <optional>

#include "core/data/catalogue.h"
#include "ui/bridge/app_context.h"
#include "ui/bridge/background.h"
#include "ui/models/dataset_model.h"

class QComboBox;
class QLabel;
class QListView;
class QProgressBar;
class QPushButton;

namespace bulwark {

class ClassGrid;
class Panel;

/// Chooses the sets of the experiment: the catalogue, what is installed, its images by class, and
/// folders of the user's own.
class DataPage : public QWidget {
  Q_OBJECT

 public:
  explicit DataPage(const AppContext& context, QWidget* parent = nullptr);

  /// Looks at a folder or file, and adds it as a set of the user's own when it can be read.
  void addOwnSet(const QString& path);
  /// Where links to own sets are kept.
  static QString ownFolder();

 Q_SIGNALS:
  void setAdded(const QString& name);

 protected:
  void changeEvent(QEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  QWidget* makeList();
  QWidget* makeDetails();
  void reload(const QString& select = {});
  void showEntry();
  void loadPreview();
  void check();
  enum class Role { In, Out, Open };
  void use(Role role);
  QString clashOf(const Json& added, Role role) const;
  void say(const QString& text, const char* role);
  std::optional<DatasetEntry> current() const;

  AppContext context_;
  DatasetModel* model_;
  DatasetFilter* filter_;
  QListView* list_;
  QLabel* title_;
  QLabel* badge_;
  QLabel* summary_;
  QLabel* facts_;
  QLabel* advice_;
  QLabel* message_;
  QLabel* gridState_;
  QComboBox* split_;
  ClassGrid* grid_;
  Panel* gridPanel_;
  QPushButton* useIn_;
  QPushButton* useOut_;
  QPushButton* useOpen_;
  QPushButton* check_;
  QProgressBar* checkProgress_;
  BackgroundTask statusTask_;
  BackgroundTask previewTask_;
  BackgroundTask checkTask_;
  BackgroundTask addTask_;
};

}  // namespace bulwark
