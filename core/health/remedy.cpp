#include "core/health/remedy.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>

namespace bulwark {
namespace {

using Change = std::string (*)(Json& specification, const std::string& subject);

/// The attack that `subject` names ("pgd on knn"), else the first that `fits`; null: there is none.
Json* attackOf(Json& specification, const std::string& subject,
               const std::function<bool(const Json&)>& fits) {
  const std::string named = subject.substr(0, subject.find(" on "));
  Json* first = nullptr;
  for (auto& attack : specification["attacks"]) {
    if (!attack.is_object() || !fits(attack)) continue;
    if (attack.value("label", attack.value("type", "")) == named) return &attack;
    if (!first) first = &attack;
  }
  return first;
}

std::string labelOf(const Json& attack) {
  return attack.value("label", attack.value("type", std::string()));
}

std::string times(Json& specification, const std::string& subject, const char* option,
                  std::int64_t factor, std::int64_t least) {
  Json* attack = attackOf(specification, subject, [option](const Json& candidate) {
    return candidate.contains(option) && candidate.at(option).is_number_integer();
  });
  if (!attack) return {};
  const std::int64_t count = std::max(least, factor * attack->at(option).get<std::int64_t>());
  (*attack)[option] = count;
  return labelOf(*attack) + " with " + std::to_string(count) + " " + option;
}

std::string moreSteps(Json& specification, const std::string& subject) {
  return times(specification, subject, "steps", 2, 2);
}

std::string moreRestarts(Json& specification, const std::string& subject) {
  return times(specification, subject, "restarts", 2, 10);
}

/// Another attack in the ball of those that are there.
std::string another(Json& specification, const char* type) {
  Json fresh = {{"type", type}};
  for (const auto& attack : specification["attacks"]) {
    if (!attack.is_object()) continue;
    if (attack.value("type", "") == type) return {};
    if (fresh.contains("eps") || !attack.contains("eps")) continue;
    fresh["eps"] = attack.at("eps");
    if (attack.contains("norm")) fresh["norm"] = attack.at("norm");
  }
  specification["attacks"].push_back(fresh);
  return std::string(type) + " as a further attack";
}

std::string square(Json& specification, const std::string& subject) {
  const std::string added = another(specification, "square");
  return added.empty() ? times(specification, subject, "queries", 2, 5000) : added;
}

std::string randomSearch(Json& specification, const std::string&) {
  return another(specification, "random_search");
}

std::string transfer(Json& specification, const std::string&) {
  return another(specification, "transfer");
}

std::string autoAttack(Json& specification, const std::string&) {
  return another(specification, "autoattack");
}

struct Entry {
  const char* text;
  Change change = nullptr;
};

const std::map<std::string, Entry>& entries() {
  static const std::map<std::string, Entry> all = {
      {"H1",
       {"The attack returned points that help the detector: a mistake in the attack, not in "
        "the detector. Do not use its figures."}},
      {"H2", {"The settings were not made from the same attacked sets. Do not use the figures."}},
      {"H3",
       {"A larger ball contains the smaller: the attack at the larger radius has not "
        "converged. Give it more steps.",
        moreSteps}},
      {"H4",
       {"An attack with more steps or starts found less: choose the better of both, and give "
        "it more starts.",
        moreRestarts}},
      {"H5",
       {"A member beats the ensemble it belongs to: its figures were not merged image by "
        "image. Do not use those of the ensemble."}},
      {"H6",
       {"Scores change when the stored images are scored again: look at H10 to H12 first, "
        "then at the device and its arithmetic."}},
      {"H7",
       {"Images left the ball or the box: the figures are of a stronger adversary than "
        "stated. Do not use them."}},
      {"H8", {"An attack without room changes something: a mistake in the attack."}},
      {"H9",
       {"Most of the effect lies below one step of an eight-bit image. Say so beside the "
        "figures, or judge images rounded to 1/255."}},
      {"H10",
       {"The score is random: attack its expectation over several draws, and judge the final "
        "point with fresh ones."}},
      {"H11",
       {"Put the network into evaluation mode before scoring: batch norm and dropout must "
        "not run as in training."}},
      {"H12",
       {"The score of an image depends on its neighbours in the batch: batch norm in "
        "training mode, or a statistic over the batch. Remove it."}},
      {"H13",
       {"Attack what stands before the sigmoid or softmax: a monotone change moves no rank "
        "but restores the gradients. A black box does not need them.",
        square}},
      {"H14",
       {"Equal scores make the AUROC depend on how ties are counted: read the pessimistic "
        "and the optimistic one, and score before rounding or squashing."}},
      {"H15",
       {"An attack that follows gradients is blind here: attack the logit, use a smooth "
        "surrogate, or a black box that needs none.",
        square}},
      {"H16",
       {"The gradients are wrong: look for a detached part or a backward pass of its own. "
        "Meanwhile trust a black box only.",
        square}},
      {"H17",
       {"The score is rough nearby, so single gradients mislead: more starts help, and a "
        "black box.",
        moreRestarts}},
      {"H18",
       {"The score optimises by itself: differentiate through that, or use a surrogate, and "
        "check with a black box.",
        square}},
      {"H19", {"Choose a loss that needs fewer classes: cross-entropy, or the score itself."}},
      {"H20",
       {"Rounding on the way hides the gradient: let the backward pass see the identity "
        "(BPDA), and check with a black box.",
        square}},
      {"H21",
       {"One step does better than many: the steps are too long or gradients are masked. Try "
        "more and shorter steps.",
        moreSteps}},
      {"H22",
       {"The attack had not finished: run it again with twice the steps, until this changes "
        "nothing more.",
        moreSteps}},
      {"H23",
       {"More starting points still find worse images: run it again with more restarts.",
        moreRestarts}},
      {"H24",
       {"The scores were still moving at the end: run it again with twice the steps.", moreSteps}},
      {"H25", {"The attack saw worse points than it returned: let it keep the best of all steps."}},
      {"H26",
       {"Starting points repeat: nothing but the attack may seed its generator. Restarts "
        "count as one until then."}},
      {"H27",
       {"An attack without gradients found worse points: the gradient attack is too weak, or "
        "gradients are masked. Keep the black box among the attacks, and give the other more "
        "steps and restarts.",
        square}},
      {"H28",
       {"Plain noise found worse points: the gradient attack is too weak, its steps miss the "
        "ball, or gradients are masked. Keep random search among the attacks.",
        randomSearch}},
      {"H29",
       {"Images made for another score are worse than those made for this one: the gradient "
        "attack is too weak, or gradients are masked. Keep the transfer among the attacks, and "
        "give the other more steps and restarts.",
        transfer}},
      {"H30",
       {"Without a bound every detector must fall: the attack is too weak or blind. Try an "
        "ensemble.",
        autoAttack}},
      {"H31",
       {"At half the range any image can be made grey: the attack is too weak or blind. Try "
        "an ensemble.",
        autoAttack}},
      {"H32",
       {"The attack misses the optimum of a linear score: too few or too short steps.", moreSteps}},
      {"H33",
       {"The attack misses a point that is known to be there: give it more steps and "
        "starts.",
        moreSteps}},
      {"H34",
       {"The same attack does not break an undefended network: it is too weak to say "
        "anything of the defended one. Give it more steps.",
        moreSteps}},
      {"H35", {"All attacks fail for the same reasons: add one of another kind.", square}},
      {"H36",
       {"As a filter the detector lets misclassified images pass: report this share beside "
        "the AUROC."}},
      {"H37",
       {"The network that was evaluated is not the one that was trained: look at the "
        "normalisation of pixels, which belongs inside the network and there once."}},
      {"H38",
       {"The accuracy of training is not reached on the test images: look at the "
        "normalisation and at how the test images are prepared."}},
  };
  return all;
}

}  // namespace

Remedy remedyOf(const std::string& id, const std::string& subject, const Json& specification) {
  const auto found = entries().find(id);
  if (found == entries().end()) return {};
  Remedy remedy{found->second.text};
  if (!found->second.change || !specification.is_object() || !specification.contains("attacks") ||
      !specification.at("attacks").is_array()) {
    return remedy;
  }
  Json changed = specification;
  remedy.change = found->second.change(changed, subject);
  if (!remedy.change.empty()) remedy.specification = std::move(changed);
  return remedy;
}

}  // namespace bulwark
