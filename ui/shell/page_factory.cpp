#include "ui/shell/page_factory.h"

#include "ui/pages/attack_page.h"
#include "ui/pages/compare_page.h"
#include "ui/pages/data_page.h"
#include "ui/pages/images_page.h"
#include "ui/pages/report_page.h"
#include "ui/pages/results_page.h"
#include "ui/pages/train_page.h"

namespace bulwark {

QWidget* makePage(PageId page, const AppContext& context) {
  switch (page) {
    case PageId::Data:
      return new DataPage(context);
    case PageId::Train:
      return new TrainPage(context);
    case PageId::Attack:
      return new AttackPage(context);
    case PageId::Results:
      return new ResultsPage(context);
    case PageId::Images:
      return new ImagesPage(context);
    case PageId::Compare:
      return new ComparePage(context);
    case PageId::Report:
      return new ReportPage(context);
  }
  return nullptr;
}

}  // namespace bulwark
