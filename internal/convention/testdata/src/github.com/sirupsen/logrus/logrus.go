package logrus
