from optparse import OptionParser

OptionsParser: OptionParser
