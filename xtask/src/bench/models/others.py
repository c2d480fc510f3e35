"""scikit-learn's random forest and LightGBM on the rows that examples/models.rs has encoded."""

import sys
import time

import lightgbm
import numpy
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score, roc_auc_score

folder = sys.argv[1]
labels = numpy.fromfile(folder + "/train.y", "u1")
truth = numpy.fromfile(folder + "/test.y", "u1")
train = numpy.fromfile(folder + "/train.f32", "<f4").reshape(len(labels), -1)
test = numpy.fromfile(folder + "/test.f32", "<f4").reshape(len(truth), -1)


def line(name, model, score, runs):
    begun = time.process_time()
    model.fit(train, labels)
    training = time.process_time() - begun
    best = float("inf")
    for _ in range(runs):
        begun = time.process_time()
        scores = score(model)
        best = min(best, time.process_time() - begun)
    alarms = scores > 0.5
    normal = numpy.sort(scores[truth == 0])
    # The lowest threshold that at most 3 % of the normal rows reach.
    most = int(len(normal) * 0.03)
    above = scores[truth == 2] > normal[len(normal) - most - 1]
    figures = [roc_auc_score(truth > 0, scores), f1_score(truth > 0, alarms), above.mean()]
    rates = [len(train) / training, len(test) / best]
    print(name, *(f"{x:.4f}" for x in figures), *(f"{x:.0f}" for x in rates), sep="\t")


line(
    "LightGBM, 100 trees of 31 leaves",
    lightgbm.LGBMClassifier(n_estimators=100, num_leaves=31, n_jobs=1, random_state=1, verbose=-1),
    lambda model: model.booster_.predict(test, num_threads=1),
    15,
)
line(
    "random forest, 100 trees",
    RandomForestClassifier(100, n_jobs=1, random_state=1),
    lambda model: model.predict_proba(test)[:, 1],
    3,
)
