#include "core/health/check.h"

namespace bulwark {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

constexpr char kConsistent[] = "consistent";
constexpr char kAttackable[] = "attackable";
constexpr char kConverged[] = "converged";

constexpr char kCarlini[] = "Carlini et al. 2019";
constexpr char kAutoAttack[] = "AutoAttack's flags";
constexpr char kIoaf[] = "Pintor et al. 2022 (IoAF)";

}  // namespace

const std::vector<HealthRule>& healthRules() {
  static const std::vector<HealthRule> rules = {
      // Consistency of the results: a violation is a bug, not a weak attack.
      {"H1", kConsistent, "attacked never better than clean",
       "largest gain of an attacked score over its clean one: none", "own", 0, 0},
      {"H2", kConsistent, "in and out together are worst",
       "AUROC: in_out <= min(in, out) <= clean, exact", "own", 0, 0},
      {"H3", kConsistent, "a larger radius is no weaker",
       "largest rise of AUROC from a radius to the next larger one", kCarlini, 0, 0.005},
      {"H4", kConsistent, "more steps and restarts are no weaker",
       "largest fall of the best score along the steps, or rise of AUROC from fewer to more steps "
       "or restarts of an attack that is otherwise the same, whatever its step size",
       kCarlini, 0, 0.005},
      {"H5", kConsistent, "an ensemble is no weaker than its members",
       "largest AUROC by which a member, or a single step of FGSM, is below the ensemble", kCarlini,
       0, 0.005},
      {"H6", kConsistent, "stored images reproduce the stored score",
       "relative difference when scored afresh", "AutoAttack issue 74, RobustBench issue 7", 1e-4,
       1e-3},
      {"H7", kConsistent, "ball and box",
       "excess of the change over eps, or of a pixel over [0, 1]; not finite is red",
       "AttackBench, ART", 1e-6, 1e-6},
      {"H8", kConsistent, "a radius of 0 changes nothing",
       "largest difference between clean and attacked images and scores at eps = 0, exact; on a "
       "known score, and with a few images on each detector",
       "torchattacks issues 124, 172", 0, 0},
      {"H9", kConsistent, "the attack survives 8 bits per channel",
       "share of the fall of AUROC that is lost by rounding attacked images to 1/255",
       "foolbox issues 162, 423", 0.1, kNever},
      // The detector as a target.
      {"H10", kAttackable, "the score is deterministic",
       "relative difference among five forwards; a random score needs expectation over it",
       kAutoAttack, 1e-4, 1e-4},
      {"H11", kAttackable, "scoring changes nothing in the network",
       "modules in training mode, and buffers changed by scoring: none", "own", 0, 0},
      {"H12", kAttackable, "the score does not depend on the batch",
       "one image alone against a batch, relative", "own", 1e-4, 1e-3},
      {"H13", kAttackable, "the score is no saturated probability",
       "share of scores at the ends of [0, 1] where all lie in it; logits should be attacked then",
       kAutoAttack, 0.01, 0.5},
      {"H14", kAttackable, "few equal scores",
       "share of repeated clean scores; or more than 1 % at the extreme value", "PyOD issue 711",
       0.1, kNever},
      {"H15", kAttackable, "gradients exist",
       "share of images whose gradient is exactly zero, missing or not finite, on the worst of the "
       "clean sets and, at any step, the attacked ones",
       "AutoAttack's flags, IoAF, ART", 0, 0.05},
      {"H16", kAttackable, "gradients are right",
       "median relative error of directional derivatives against central differences, kinks left "
       "out",
       "ART", 1e-2, 0.1},
      {"H17", kAttackable, "the score is smooth nearby",
       "mean relative change of the score, at most 1 each, at random points within 8/255", kIoaf,
       0.1, kNever},
      {"H18", kAttackable, "no optimisation inside the score",
       "1 where scoring runs an optimisation or a gradient of its own", kAutoAttack, 0, kNever},
      {"H19", kAttackable, "enough outputs for the loss",
       "attacks whose loss needs more classes than there are: none (DLR 3, targeted 4)",
       kAutoAttack, 0, 0},
      {"H20", kAttackable, "nothing is quantised on the way",
       "share of images whose score ignores a change of 1e-4 but not one of 2/255, or a declared "
       "quantisation; the backward pass must then see the identity (BPDA)",
       "Athalye et al. 2018", 0, kNever},
      // The attack as an optimiser.
      {"H21", kConverged, "many steps beat one", "AUROC of an iterative attack above FGSM's",
       kCarlini, 0, 0.002},
      {"H22", kConverged, "twice the steps change little",
       "fall of AUROC (in_out) with twice the steps of half the size", kCarlini, 0.005, 0.02, true},
      {"H23", kConverged, "more restarts change little",
       "fall of AUROC (in_out) from half the starts to all of them", kCarlini, 0.005, 0.02, true},
      {"H24", kConverged, "the attack has come to rest",
       "share of its whole rise that the best score makes in the last 10 steps (at most half of "
       "them) of a restart, of several the worst",
       kIoaf, 0.05, kNever},
      {"H25", kConverged, "the best point is returned",
       "best value on the path above the value returned, relative", kIoaf, 1e-6, 1e-6},
      {"H26", kConverged, "starts differ",
       "pairs of equal starting points, and scores that reseed the global generator: none", "own",
       0, 0},
      {"H27", kConverged, "a black box does not win",
       "fall of AUROC (in_out) when each image takes the worse of Square and the white box; or "
       "Square wins on more than 1 % of them",
       kAutoAttack, 0.002, 0.002, true},
      {"H28", kConverged, "random noise does not win",
       "images for which uniform draws beat the attack: none", kCarlini, 0, 0, true},
      {"H29", kConverged, "transfer does not win",
       "fall of AUROC (in_out) when each image takes the worse of what was made for another score "
       "and of the white box; or that wins on more than 1 % of them",
       "Carlini et al. 2019, IoAF", 0.002, 0.002, true},
      {"H30", kConverged, "an unbounded attack succeeds", "AUROC (in_out) at eps = 1", kCarlini,
       0.01, 0.05, true},
      {"H31", kConverged, "half the range reaches chance",
       "AUROC (in_out) at l-inf 0.5, where any image can be made grey", kCarlini, 0.5, 0.5, true},
      {"H32", kConverged, "a linear score is solved exactly",
       "relative shortfall from the closed form s + eps ||w||", kCarlini, 1e-5, 1e-3},
      {"H33", kConverged, "a planted adversarial is found",
       "share of images whose planted point stays better than what the attack finds, in a linear "
       "readout of the classifier's features; of the attack and the network, not of a detector",
       "Zimmermann et al. 2022", 0.05, 0.05, true},
      {"H34", kConverged, "an undefended twin breaks",
       // At a small radius not every score of a plain network falls to 0; above chance none broke.
       "AUROC (in_out) of the softmax score (msp) on a plainly trained classifier, whatever the "
       "detectors; amber or red from 50 images of each kind",
       kCarlini, 0.2, 0.5, true},
      {"H35", kConverged, "attacks of different kinds", "1 where all attacks are of one kind",
       kCarlini, 0, kNever},
      {"H36", kConverged, "joint evasion",
       "share of in images that the joint attack makes misclassified and accepted at once",
       "Bryniarski et al. 2022 (OrthogonalPGD)", 0.1, kNever},
      // Not of the published list: that the evaluation judges the network that was trained.
      {"H37", kConsistent, "the network computes what was trained",
       "logits of a grey image and three training images, against those when training ended, "
       "relative; pixels normalised twice or not at all, layers put together otherwise",
       "OpenOOD issue 293, RobustBench issues 99 and 105", 1e-4, 1e-2},
      {"H38", kConsistent, "clean accuracy is that of the training",
       "fall of clean accuracy below that on validation images when training ended, beyond twice "
       "the standard error of their difference",
       "OpenOOD issue 293", 0.02, 0.1},
  };
  return rules;
}

}  // namespace bulwark
