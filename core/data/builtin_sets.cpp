// What the catalogue knows: every data set that the papers behind Bulwark name.
#include <string>

#include "core/data/catalogue.h"

namespace bulwark {
namespace {

using Files = std::vector<DatasetFile>;
using Words = std::vector<std::string>;

DatasetFile images(std::string path, std::string split, std::string sha256, std::int64_t count) {
  return {std::move(path), std::move(sha256), count, false, std::move(split), "images"};
}

DatasetFile labels(std::string path, std::string split, std::string sha256, std::int64_t count) {
  return {std::move(path), std::move(sha256), count, false, std::move(split), "labels"};
}

DatasetFile names(std::string path) {
  return {std::move(path), {}, 0, true, {}, "names"};
}

/// The four MNIST-style files; `sha256` in the order train images, train labels, test images, ...
Files mnistFiles(const Words& sha256, std::int64_t train, std::int64_t test) {
  return {images("train-images-idx3-ubyte", "train", sha256[0], train),
          labels("train-labels-idx1-ubyte", "train", sha256[1], train),
          images("t10k-images-idx3-ubyte", "test", sha256[2], test),
          labels("t10k-labels-idx1-ubyte", "test", sha256[3], test)};
}

Words digits() {
  return {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
}

DatasetInfo mnist() {
  return {.name = "mnist",
          .title = "MNIST",
          .summary = "handwritten digits",
          .reference = "LeCun, Bottou, Bengio and Haffner 1998",
          .homepage = "http://yann.lecun.com/exdb/mnist/",
          .licence = "none stated with the files; CC BY-SA 3.0 is commonly given",
          .classes = 10,
          .trainCount = 60000,
          .testCount = 10000,
          .format = "idx",
          .files = mnistFiles({"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                               "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                               "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                               "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
                              60000, 10000),
          .whatToPutWhere = "Put the four IDX files (plain or .gz) into a folder mnist/.",
          .folders = {"mnist", "MNIST", "MNIST/raw", "mnist/raw"},
          .classNames = digits()};
}

DatasetInfo fashionMnist() {
  return {.name = "fashion-mnist",
          .title = "Fashion-MNIST",
          .summary = "articles of clothing",
          .reference = "Xiao, Rasul and Vollgraf 2017",
          .homepage = "https://github.com/zalandoresearch/fashion-mnist",
          .licence = "MIT",
          .classes = 10,
          .trainCount = 60000,
          .testCount = 10000,
          .format = "idx",
          .files = mnistFiles({"c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                               "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                               "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                               "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"},
                              60000, 10000),
          .whatToPutWhere =
              "Install Debian's package dataset-fashion-mnist, or put the four IDX "
              "files (plain or .gz) into a folder fashion-mnist/.",
          .folders = {"fashion-mnist", "FashionMNIST/raw", "FashionMNIST", "fashion_mnist"},
          .classNames = {"T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt",
                         "sneaker", "bag", "ankle boot"}};
}

DatasetInfo omniglot() {
  return {.name = "omniglot",
          .title = "Omniglot",
          .summary = "handwritten characters of 20 alphabets (the evaluation set)",
          .reference = "Lake, Salakhutdinov and Tenenbaum 2015",
          .homepage = "https://github.com/brendenlake/omniglot",
          .licence = "MIT",
          .classes = 20,
          .testCount = 13180,
          .format = "idx",
          .files = {images("t10k-images-idx3-ubyte", "test", "", 0),
                    labels("t10k-labels-idx1-ubyte", "test", "", 0), names("classes.txt")},
          .whatToPutWhere =
              "Put t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (28 x 28, bright ink "
              "on black, labels = alphabets) into a folder omniglot/. The published folder "
              "images_evaluation (105 x 105, black ink on white) is read as well.",
          .folders = {"omniglot", "omniglot/images_evaluation", "images_evaluation"}};
}

DatasetInfo notMnist() {
  return {.name = "notmnist",
          .title = "notMNIST",
          .summary = "letters A to J in many fonts; has all-white and duplicate images",
          .reference = "Bulatov 2011",
          .homepage = "http://yaroslavvb.blogspot.com/2011/09/notmnist-dataset.html",
          .licence = "none stated",
          .classes = 10,
          .testCount = 10000,
          .format = "idx",
          .files = {images("t10k-images-idx3-ubyte", "test", "", 0),
                    labels("t10k-labels-idx1-ubyte", "test", "", 0)},
          .whatToPutWhere =
              "Put t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (plain or .gz) into a "
              "folder notmnist/. The published folder notMNIST_small with its folders A to J is "
              "read as well.",
          .folders = {"notmnist", "notMNIST", "notMNIST_small"},
          .classNames = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"}};
}

/// The fields that every 32 x 32 colour set shares.
DatasetInfo colour32(std::string name, std::string title, std::string summary) {
  return {.name = std::move(name),
          .title = std::move(title),
          .summary = std::move(summary),
          .channels = 3,
          .height = 32,
          .width = 32};
}

DatasetInfo cifar10() {
  DatasetInfo info = colour32("cifar10", "CIFAR-10", "animals and vehicles");
  info.reference = "Krizhevsky 2009";
  info.homepage = "https://www.cs.toronto.edu/~kriz/cifar.html";
  info.licence = "none stated";
  info.classes = 10;
  info.trainCount = 50000;
  info.testCount = 10000;
  info.format = "cifar10";
  for (int i = 1; i <= 5; ++i) {
    info.files.push_back(images("data_batch_" + std::to_string(i) + ".bin", "train", "", 10000));
  }
  info.files.push_back(images("test_batch.bin", "test", "", 10000));
  info.whatToPutWhere =
      "Unpack the binary version, so that there is a folder cifar-10-batches-bin (plain or .gz "
      "files).";
  info.folders = {"cifar10/cifar-10-batches-bin", "cifar-10-batches-bin", "cifar10", "."};
  info.classNames = {"airplane", "automobile", "bird",  "cat",  "deer",
                     "dog",      "frog",       "horse", "ship", "truck"};
  return info;
}

DatasetInfo cifar100(bool coarse) {
  DatasetInfo info =
      coarse ? colour32("cifar100-coarse", "CIFAR-100 (20 superclasses)", "things in 20 groups")
             : colour32("cifar100", "CIFAR-100", "things of 100 kinds");
  info.reference = "Krizhevsky 2009";
  info.homepage = "https://www.cs.toronto.edu/~kriz/cifar.html";
  info.licence = "none stated";
  info.classes = coarse ? 20 : 100;
  info.trainCount = 50000;
  info.testCount = 10000;
  info.format = info.name;
  info.files = {images("train.bin", "train", "", 50000), images("test.bin", "test", "", 10000),
                names(coarse ? "coarse_label_names.txt" : "fine_label_names.txt")};
  info.whatToPutWhere =
      "Unpack the binary version, so that there is a folder cifar-100-binary (plain or .gz files).";
  info.folders = {"cifar100/cifar-100-binary", "cifar-100-binary", "cifar100"};
  return info;
}

DatasetInfo tinyImageNet32(bool disjoint) {
  DatasetInfo info = colour32("tinyimagenet32", "Tiny ImageNet, 32 x 32",
                              "validation images of Tiny ImageNet as CIFAR-like records");
  if (disjoint) {
    info.name += "-no-overlap";
    info.title += ", without CIFAR-10's classes";
    info.summary += "; only classes that classes.txt flags as foreign to CIFAR-10";
    info.overlapFlag = 0;
  }
  info.reference = "Le and Yang 2015";
  info.homepage = "http://cs231n.stanford.edu/";
  info.licence = "ImageNet images: non-commercial research";
  info.classes = 202;
  info.testCount = disjoint ? 8500 : 10100;
  info.format = "cifar10";
  info.files = {images("val.bin", "test", "", 0), names("classes.txt")};
  info.files.back().optional = !disjoint;
  info.whatToPutWhere =
      "Put val.bin (plain or .gz; records of 1 label byte and 3,072 pixel bytes) and classes.txt "
      "into a folder tinyimagenet32/.";
  info.folders = {"tinyimagenet32"};
  return info;
}

DatasetInfo kthTips() {
  DatasetInfo info = colour32("kth_tips_grey32", "KTH-TIPS, 32 x 32", "grey textures of materials");
  info.reference = "Fritz, Hayman, Caputo and Eklundh 2004";
  info.homepage = "https://www.csc.kth.se/cvap/databases/kth-tips/";
  info.licence = "none stated";
  info.classes = 10;
  info.testCount = 3240;
  info.format = "cifar10";
  info.files = {images("textures.bin", "test", "", 0), names("classes.txt")};
  info.whatToPutWhere =
      "Put textures.bin (plain or .gz; records as in CIFAR-10's files) and classes.txt into a "
      "folder kth_tips_grey32/.";
  info.folders = {"kth_tips_grey32"};
  return info;
}

/// A set published as image files, or without a reader when `native` names its own format.
DatasetInfo imageFiles(std::string name, std::string title, std::string summary,
                       std::string reference, std::string homepage, std::string licence,
                       int classes, std::int64_t train, std::int64_t test, std::string put,
                       Words folders, std::string native = {}) {
  DatasetInfo info{.name = std::move(name),
                   .title = std::move(title),
                   .summary = std::move(summary),
                   .reference = std::move(reference),
                   .homepage = std::move(homepage),
                   .licence = std::move(licence),
                   .channels = 3,
                   .height = 0,
                   .width = 0,
                   .classes = classes,
                   .trainCount = train,
                   .testCount = test,
                   .format = native.empty() ? "folder" : "",
                   .whatToPutWhere = std::move(put),
                   .folders = std::move(folders)};
  if (!native.empty()) info.files = {images(std::move(native), {}, {}, 0)};
  return info;
}

/// For sets without a reader: `published` is what their own files are.
std::string convert(const std::string& published, const std::string& folder) {
  return "Convert the published files (" + published +
         "), which Bulwark does not read yet, to one folder of PNG images per class below " +
         folder + "/train/ and " + folder +
         "/test/, or to train.npy, train_labels.npy, test.npy and test_labels.npy in a folder " +
         folder + "/.";
}

/// "Unpack it, so that there is ...".
std::string unpack(const std::string& there) {
  return "Unpack it, so that there is " + there + ".";
}

std::vector<DatasetInfo> photographs() {
  return {
      imageFiles("tinyimagenet", "Tiny ImageNet", "200 kinds of things, 64 x 64",
                 "Le and Yang 2015", "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
                 "ImageNet images: non-commercial research", 200, 100000, 10000,
                 unpack("a folder tiny-imagenet-200 with train/<class>/images") +
                     " Its test images have no labels.",
                 {"tiny-imagenet-200", "tinyimagenet"}),
      imageFiles("lsun", "LSUN (resized)", "scenes, the 10,000 test images as used by ODIN",
                 "Yu et al. 2015; Liang, Li and Srikant 2018",
                 "https://github.com/facebookresearch/odin", "none stated", 0, 0, 10000,
                 "Unpack the folder LSUN_resize of image files. The original LSUN is an LMDB "
                 "database, which Bulwark does not read.",
                 {"LSUN_resize", "lsun"}),
      imageFiles("isun", "iSUN", "scenes, 8,925 patches as used by ODIN",
                 "Xu et al. 2015; Liang, Li and Srikant 2018",
                 "https://github.com/facebookresearch/odin", "none stated", 0, 0, 8925,
                 "Unpack the folder iSUN of image files.", {"iSUN", "isun"}),
      imageFiles("places365", "Places365", "scenes; the small validation images, 256 x 256",
                 "Zhou et al. 2017", "http://places2.csail.mit.edu/", "non-commercial research",
                 365, 0, 36500, unpack("a folder val_256 (36,500 JPEG files, read without labels)"),
                 {"places365/val_256", "val_256", "places365"}),
      imageFiles("birds", "Caltech-UCSD Birds-200-2011", "photographs of 200 kinds of birds",
                 "Wah et al. 2011", "https://www.vision.caltech.edu/datasets/cub_200_2011/",
                 "none stated", 200, 0, 11788, unpack("a folder CUB_200_2011 with images/<class>"),
                 {"CUB_200_2011/images", "birds/images", "birds"}),
      imageFiles("flowers102", "Oxford Flowers-102", "photographs of flowers",
                 "Nilsback and Zisserman 2008",
                 "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/", "none stated", 102, 0, 8189,
                 unpack("a folder flowers102/jpg (8,189 files, read without labels)"),
                 {"flowers102/jpg", "flowers-102/jpg", "flowers102"}),
      imageFiles("coil100", "COIL-100", "100 objects on a turntable", "Nene, Nayar and Murase 1996",
                 "https://www.cs.columbia.edu/CAVE/software/softlib/coil-100.php",
                 "non-commercial research", 100, 0, 7200,
                 unpack("a folder coil-100 (7,200 PNG files, read without labels)"),
                 {"coil-100", "coil100"}),
      imageFiles("food101", "Food-101", "photographs of dishes", "Bossard et al. 2014",
                 "https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101/",
                 "scientific fair use", 101, 0, 101000,
                 unpack("a folder food-101 with images/<class>"),
                 {"food-101/images", "food101/images", "food101"}),
      imageFiles("imagenet30", "ImageNet-30", "30 ImageNet classes without overlap",
                 "Hendrycks et al. 2019", "https://github.com/hendrycks/ss-ood",
                 "ImageNet images: non-commercial research", 30, 39000, 3000,
                 "Put one_class_train and one_class_test, each with one folder per class, into a "
                 "folder imagenet30/.",
                 {"imagenet30", "ImageNet-30"}),
      imageFiles("dtd", "Describable Textures", "47 kinds of textures", "Cimpoi et al. 2014",
                 "https://www.robots.ox.ac.uk/~vgg/data/dtd/", "research only", 47, 0, 5640,
                 unpack("a folder dtd with images/<class>"), {"dtd/images", "dtd"}),
      imageFiles("magnetic-tile", "Magnetic tile defects",
                 "surfaces of magnetic tiles, free of defects and with five kinds",
                 "Huang, Qiu and Yuan 2020",
                 "https://github.com/abin24/Magnetic-tile-defect-datasets.",
                 "none stated; citation asked for", 6, 753, 591,
                 "Sort the images into train/good and test/<defect> in a folder magnetic_tile/.",
                 {"magnetic_tile", "industrial/magnetic_tile", "magnetic-tile"}),
      imageFiles("svhn", "SVHN", "house numbers, 32 x 32", "Netzer et al. 2011",
                 "http://ufldl.stanford.edu/housenumbers/", "non-commercial use", 10, 73257, 26032,
                 convert("train_32x32.mat and test_32x32.mat, MATLAB files", "svhn"),
                 {"svhn", "SVHN"}, "test_32x32.mat"),
      imageFiles("stl10", "STL-10", "ten kinds of things, 96 x 96", "Coates, Lee and Ng 2011",
                 "https://cs.stanford.edu/~acoates/stl10/", "ImageNet images: research", 10, 5000,
                 8000, convert("train_X.bin and test_X.bin, column-major arrays", "stl10"),
                 {"stl10", "stl10_binary"}, "test_X.bin"),
  };
}

std::vector<DatasetInfo> industrial() {
  const std::string category =
      " Bulwark reads one category at a time, as data on disk: {\"path\": \".../";
  return {
      imageFiles("mvtec-ad", "MVTec AD", "15 kinds of products and textures with defects",
                 "Bergmann et al. 2019", "https://www.mvtec.com/company/research/datasets/mvtec-ad",
                 "CC BY-NC-SA 4.0", 15, 3629, 1725,
                 "Unpack it anywhere." + category + "bottle\", \"format\": \"folder\"}.",
                 {"mvtec-ad", "mvtec", "mvtec_anomaly_detection"}, "bottle/train/good"),
      imageFiles("visa", "VisA", "12 kinds of objects with defects", "Zou et al. 2022",
                 "https://github.com/amazon-science/spot-diff", "CC BY 4.0", 12, 8659, 2162,
                 "Convert it with the authors' prepare_data.py (1-class)." + category +
                     "candle\", \"format\": \"folder\"}.",
                 {"visa", "VisA"}, "candle/train/good"),
      imageFiles("dagm", "DAGM 2007", "10 kinds of artificial textures with defects",
                 "Wieler and Hahn 2007",
                 "https://hci.iwr.uni-heidelberg.de/content/"
                 "weakly-supervised-learning-industrial-optical-inspection",
                 "CDLA-Sharing-1.0 (as mirrored)", 10, 0, 0,
                 convert("folders Train and Test that mix images and label masks", "dagm"),
                 {"dagm", "DAGM"}, "Class1/Train"),
      imageFiles("isic2018", "ISIC 2018 (task 3)", "photographs of skin lesions",
                 "Codella et al. 2019; Tschandl et al. 2018", "https://challenge.isic-archive.com/",
                 "CC BY-NC 4.0", 7, 10015, 1512,
                 "Sort the images into train/<class> and test/<class> in a folder isic2018/: the "
                 "published labels are CSV files, which Bulwark does not read.",
                 {"isic2018", "ISIC2018"}, "ISIC2018_Task3_Training_Input"),
      imageFiles(
          "cityscapes", "Cityscapes", "street scenes", "Cordts et al. 2016",
          "https://www.cityscapes-dataset.com/", "non-commercial research, registration", 0, 2975,
          500,
          "Cut patches of 256 x 256 pixels from leftImg8bit, as COBRA does, and put them into "
          "train/<class> and test/<class> in a folder cityscapes/.",
          {"cityscapes"}, "leftImg8bit"),
  };
}

DatasetInfo generated(std::string name, std::string title, std::string summary,
                      std::string reference) {
  return {.name = std::move(name),
          .title = std::move(title),
          .summary = std::move(summary),
          .reference = std::move(reference),
          .homepage = {},
          .licence = "none needed",
          .generated = true,
          .trainCount = 1000,
          .testCount = 1000,
          .format = "generated",
          .whatToPutWhere = "Nothing: it is generated."};
}

DatasetInfo evolved(std::string name, std::string title, std::string summary, bool direct) {
  auto info = generated(std::move(name), std::move(title), std::move(summary),
                        "Nguyen, Yosinski and Clune 2015");
  info.format = "evolved";
  info.whatToPutWhere = "Nothing: a run evolves it against its own classifier.";
  const std::string code = "Zhao et al. 2022, released code: rates in effect";
  info.options.integer("generations", 200, "generations per attempt, of which there are three")
      .range(1, 1e6)
      .from(direct ? "Zhao et al. 2022, released code" : "");
  info.options.integer("population", 50, "images of a generation")
      .range(10, 10000)
      .in("images")
      .from(direct ? "Zhao et al. 2022, released code" : "");
  info.options
      .number("confidence", 0,
              "softmax probability from which an image counts; 0: 0.9999 grey, 0.999 colour")
      .range(0, 0.999999)
      .from("Zhao et al. 2022, section 5.2");
  if (direct) {
    info.options.number("mutation", 0.015, "share of a generation's pixels that are drawn anew")
        .above(0, 1)
        .from(code)
        .expert();
    info.options.number("crossover", 0.05, "share of a generation that is crossed in pairs")
        .range(0, 1)
        .from(code)
        .expert();
  }
  return info;
}

DatasetInfo adversarial() {
  auto info = generated("adversarial", "Adversarial images",
                        "in test images that an attack has turned against the run's classifier",
                        "Ma et al. 2018, section 5; Zhao et al. 2022, section 5.2");
  info.format = "crafted";
  info.whatToPutWhere = "Nothing: a run makes it of its in test images, against its classifier.";
  info.options
      .text("attack", "fgsm",
            "attack on the classifier, by name or as {\"type\": \"fgsm\", \"eps\": 0.4}; it keeps "
            "its last point and an unbounded nearest one, as published, unless told otherwise")
      .from("Zhao et al. 2022, section 5.2: FGSM, BIM-a, BIM-b, JSMA, C&W");
  info.options
      .choice("images", "correct", {"correct", "all", "fooled"},
              "in test images that it is made of: those classified correctly when clean, all, or "
              "those of the correct ones that the attack got misclassified")
      .from("Ma et al. 2018, released code: correct");
  return info;
}

}  // namespace

const std::vector<DatasetInfo>& builtinDatasets() {
  static const std::vector<DatasetInfo> sets = [] {
    std::vector<DatasetInfo> all = {
        generated("noise-uniform", "Uniform noise", "every value drawn from U(0, 1)",
                  "Hendrycks and Gimpel 2017"),
        generated("noise-gaussian", "Gaussian noise",
                  "every value drawn from N(0.5, 1), clipped to [0, 1]",
                  "Hendrycks and Gimpel 2017; Liang, Li and Srikant 2018"),
        generated("glyphs", "Rendered glyphs",
                  "26 letter-like symbols under random affine maps and pen widths; no digits", ""),
        mnist(),
        fashionMnist(),
        omniglot(),
        notMnist(),
        cifar10(),
        cifar100(false),
        cifar100(true),
        tinyImageNet32(false),
        tinyImageNet32(true),
        kthTips()};
    all[2].classes = 26;
    all.insert(all.begin() + 3,
               {evolved("fooling-direct", "Fooling images, direct encoding",
                        "pixels evolved until the run's classifier is sure of a class", true),
                evolved("fooling-cppn", "Fooling images, CPPN encoding",
                        "patterns evolved until the run's classifier is sure of a class", false),
                adversarial()});
    for (auto& info : photographs()) all.push_back(std::move(info));
    for (auto& info : industrial()) all.push_back(std::move(info));
    return all;
  }();
  return sets;
}

}  // namespace bulwark
